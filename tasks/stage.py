"""What every stage is: a pure-looking function from the work before it to what it found."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from packshot.contract import Job, Step
from packshot.imaging.decode import decode
from packshot.imaging.encode import load_grey
from packshot.imaging.hashing import sha256
from packshot.results import Prepared
from packshot.store.ledger import Artifact, Settlement, Ticket
from packshot.summary import PIPELINE
from tasks.services import Services

#: Sets the bytes of an object apart from its pixels in the cache; no object's key begins so.
_FILE = "//"
#: Quality of a PNG: it has none.
LOSSLESS = 100

Result = TypeVar("Result", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Found:
    """What a stage found out."""

    result: BaseModel
    confidence: float | None = None
    artifacts: tuple[Artifact, ...] = ()
    settlement: Settlement | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One step of one job, with what the steps before it found and what it may use."""

    ticket: Ticket
    services: Services

    @property
    def job(self) -> Job:
        """The producer's message."""
        return self.ticket.job

    def result(self, step: Step, kind: type[Result]) -> Result | None:
        """What an earlier step found, or None where the job leaves that step out."""
        found = self.ticket.results.get(step)
        return kind.model_validate(found) if found is not None else None

    def before(self, kind: type[Result]) -> Result | None:
        """What this step had found before a person spoke; None where its input changed too."""
        found = self.ticket.before
        return kind.model_validate(found) if found is not None else None

    def prepared(self) -> Prepared:
        """What prepare found; every later step builds on it."""
        return Prepared.model_validate(self.ticket.results[Step.PREPARE])

    def pixels(self) -> NDArray[np.uint8]:
        """The working image, RGB uint8 HxWx3, read-only."""
        services, prepared = self.services, self.prepared()
        held = services.pixels.get(prepared.work_key)
        if held is None:
            held = decode(services.blobs.get(prepared.work_key), services.limits).rgb
            services.pixels.put(prepared.work_key, held)
        return held

    def alpha(self) -> NDArray[np.uint8] | None:
        """The alpha that came with the photo, uint8 HxW, or None."""
        key = self.prepared().alpha_key
        return load_grey(self.services.blobs.get(key)) if key else None

    def store(self, name: str, key: str, data: bytes, media_type: str) -> Artifact:
        """Put an object whose key names its content: writing it twice changes nothing."""
        self.services.blobs.put(key, data, media_type)
        return Artifact(name, key, media_type, len(data), sha256(data))

    def keep_file(self, key: str, data: bytes) -> None:
        """Hold the bytes of an object that was stored, for a later step in this process."""
        self.services.pixels.put(_FILE + key, np.frombuffer(data, np.uint8))

    def file(self, key: str) -> bytes:
        """The bytes of an object: those that were kept, else what the store has."""
        held = self.services.pixels.get(_FILE + key)
        return held.tobytes() if held is not None else self.services.blobs.get(key)

    def let_go(self, key: str) -> None:
        """Hold an object no longer: the memory is worth more to the next photo."""
        self.services.pixels.drop(key)
        self.services.pixels.drop(_FILE + key)

    def store_once(self, name: str, key: str, data: bytes, media_type: str) -> Artifact:
        """Put an object under a name that people read; what is there is never overwritten.

        Two runs of a step write the same bytes nearly always. Where they differ (another release,
        another processor), the later one takes a name of its own, so that a late writer cannot
        change a picture that the ledger already names.
        """
        blobs = self.services.blobs
        if not blobs.put_new(key, data, media_type) and blobs.get(key) != data:
            stem, dot, extension = key.rpartition(".")
            key = f"{stem}.{self.ticket.fence}{dot}{extension}"
            blobs.put(key, data, media_type)
        return Artifact(name, key, media_type, len(data), sha256(data))

    def input_key(self, *parts: str) -> str:
        """SHA-256 of everything that a step's result depends on: equal key, equal result."""
        # The runtime counts: its precision shows in the last digits, and in hard cases before them.
        infos = self.services.models.info(self.ticket.step)
        models = [part for one in infos for part in (one.sha256, one.runtime)]
        return hashlib.sha256(
            "\0".join((PIPELINE, self.ticket.step, *models, *parts)).encode()
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class Stage:
    """A step's function, with the result type that it answers.

    `key` names the input, so that the same bytes through the same pipeline are not computed twice;
    a stage without one is always run. `correct` is what the stage does once a person has said
    something about its result; a stage without one obeys in `run`.
    """

    step: Step
    kind: type[BaseModel]
    run: Callable[[Work], Found]
    key: Callable[[Work], str] | None = None
    correct: Callable[[Work], Found] | None = None

    def work(self, work: Work) -> Found:
        """Do the step, or what a person said of it."""
        if self.correct and work.ticket.correction:
            return self.correct(work)
        return self.run(work)

    def input_key(self, work: Work) -> str | None:
        """The name of the input, where another job's result for the same input would do.

        What a person said holds for one job: it is neither taken from another one nor given to it.
        """
        return self.key(work) if self.key and not work.ticket.correction else None
