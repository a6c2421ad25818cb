"""The models of one process, behind three small protocols: real ones, or the shipped fakes."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.batched import BatchedSession
from models.batcher import BatchRun
from models.matting import Matted, Matter
from models.ocr import TextReader
from models.plan import Limits
from models.recognition import Categories, Lexicon, Recogniser
from models.registry import Registry
from models.session import CUDA, Session
from packshot.contract import Step
from packshot.results import ModelInfo, Recognition, TextResult

#: The default weights of each step, by their names in the manifest.
WEIGHTS: dict[Step, tuple[str, ...]] = {
    Step.OCR: ("ppocrv6-det-small", "ppocr-orientation", "ppocrv6-rec-small"),
    Step.RECOGNITION: ("efficientnet-lite0",),
    Step.MATTING: ("u2netp",),
}


#: Batch size on a GPU where nobody said anything, and batches at once: one is copied to the device
#: while another one runs. `packshot tune` finds what is best for a machine.
GPU_SIZE, LANES = 8, 2


class Reads(Protocol):
    """Finds the text in a picture."""

    def read(self, rgb: NDArray[np.uint8]) -> TextResult:
        """Read an RGB picture, uint8 HxWx3."""


class Recognises(Protocol):
    """Says what a picture shows."""

    def recognise(self, rgb: NDArray[np.uint8], text: TextResult | None) -> Recognition:
        """Look at an RGB picture, uint8 HxWx3, and at the text that was read on it."""


class Mattes(Protocol):
    """Cuts the subject of a picture out."""

    def matte(self, rgb: NDArray[np.uint8], supplied: NDArray[np.uint8] | None = None) -> Matted:
        """Matte an RGB picture, uint8 HxWx3; `supplied` is an alpha that came with it."""


@dataclass(frozen=True, slots=True)
class Batching:
    """How runs of many threads are put together.

    Attributes:
        size: most photos, or lines of text, in a batch; 1 runs each in its caller's own thread;
            None takes 1 on a CPU, where batches gain nothing, and `GPU_SIZE` on a GPU.
        max_wait: longest time that one waits for company, in seconds.
        watch: told of every batch, with the name of its model.
    """

    size: int | None = None
    max_wait: float = 0.005
    watch: Callable[[str, BatchRun], None] | None = None

    def apply(self, session: Session) -> Session:
        """The session, with a batcher in front of it where that helps."""
        size = self.size or (GPU_SIZE if CUDA in session.providers else 1)
        if size == 1:
            return session
        watch = partial(self.watch, session.info.name) if self.watch else None
        return BatchedSession(session, Limits(size, self.max_wait), lanes=LANES, watch=watch)


@dataclass(frozen=True, slots=True)
class Models:
    """What is loaded; a part is None where the process's role does not need it."""

    reader: Reads | None = None
    recogniser: Recognises | None = None
    matter: Mattes | None = None
    infos: tuple[tuple[Step, tuple[ModelInfo, ...]], ...] = ()

    def info(self, step: Step) -> tuple[ModelInfo, ...]:
        """Provenance of a step's weights."""
        return dict(self.infos).get(step, ())


def load(
    registry: Registry,
    steps: Collection[Step],
    *,
    threads: int = 1,
    device: str = "auto",
    callers: int = 1,
    fine: bool = False,
    batching: Batching | None = None,
) -> Models:
    """Load and warm the models of `steps`; `fine` adds closed-form matting.

    `callers` is how many threads will run them at once.

    Every model is run once on its own example, so that a broken one stops the process at its
    start and the first job is as fast as the second. Raises `ModelMissing` or `ModelFailure`.
    """
    gather = batching or Batching()
    sessions = {
        name: gather.apply(registry.session(name, threads=threads, device=device, callers=callers))
        for step in WEIGHTS
        if step in steps
        for name in WEIGHTS[step]
    }
    reader = recogniser = matter = None
    if Step.OCR in steps:
        detector, orientation, recognition = (sessions[name] for name in WEIGHTS[Step.OCR])
        reader = TextReader(
            detector=detector,
            orientation=orientation,
            recogniser=recognition,
            charset=registry.charset(WEIGHTS[Step.OCR][2]),
        )
        reader.read(TextReader.example())
    if Step.RECOGNITION in steps:
        recogniser = Recogniser(
            classifier=sessions[WEIGHTS[Step.RECOGNITION][0]],
            categories=Categories.default(),
            lexicon=Lexicon.default(),
        )
        recogniser.recognise(Recogniser.example(), None)
    if Step.MATTING in steps:
        matter = Matter(session=sessions[WEIGHTS[Step.MATTING][0]], fine=fine)
        matter.matte(Matter.example())
    infos = tuple(
        (step, tuple(sessions[name].info for name in names))
        for step, names in WEIGHTS.items()
        if step in steps
    )
    return Models(reader, recogniser, matter, infos)
