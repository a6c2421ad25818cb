"""What a bench run compares: each arrangement with the function that runs one round of it."""

import itertools
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from models.registry import Registry
from workers.bench import photos
from workers.bench.figures import Round, Row
from workers.bench.process import together

#: Models in seconds, and slots, of the section on scaling.
FAKE_SECONDS = (0.02, 0.1, 0.5)
SLOTS = (1, 4, 8, 16, 32)
#: Steps of a job that run a model.
MODEL_STEPS = 3
#: One thread in every library: processes are what fills the cores.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "PACKSHOT_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked for.

    Attributes:
        folder: where photos and data folders are made.
        sides: longer sides of the photos, in pixels.
        jobs: photos per round and process.
        warm: photos that each process, or thread of a run, takes before the clock starts.
        processes: how many the bare loop uses; embedded runs use as many threads.
        peer: Python of an environment with the peer's packages, or None.
        models: folder of the weights.
    """

    folder: Path
    sides: tuple[int, ...]
    jobs: int
    warm: int
    processes: int
    peer: Path | None
    models: Path | None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A row of the report and how to run one round of it."""

    row: Row
    run: Callable[[], Round]


class Plan:
    """Makes the arrangements; every round gets photos and a data folder that no other one has."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._numbers = itertools.count()

    def limit(self) -> list[Arrangement]:
        """The bare loop at every size: what nothing can beat."""
        return [
            Arrangement(Row("limit", f"bare loop, {side} px"), partial(self._bare, side))
            for side in self._options.sides
        ]

    def embedded(self) -> list[Arrangement]:
        """Packshot in one process: queue, ledger and object store included."""
        return [
            Arrangement(Row("embedded", f"packshot run, {side} px"), partial(self._embedded, side))
            for side in self._options.sides
        ]

    def peers(self) -> list[Arrangement]:
        """The script that a user would write, as one process and as one per core."""
        python = self._options.peer
        made = []
        for side, processes in itertools.product(
            self._options.sides, sorted({1, self._options.processes})
        ):
            row = Row("peer", f"RapidOCR + rembg, {processes} processes, {side} px")
            if python is None:
                row.skipped = (
                    "no environment given: --peer .../bin/python with rapidocr, rembg[cpu]"
                )
            elif reason := _lacks(python):
                row.skipped = reason
            made.append(Arrangement(row, partial(self._peer, side, processes)))
        return made

    def scaling(self) -> list[Arrangement]:
        """Models that only sleep: what the rest costs when there are many slots."""
        return [
            Arrangement(
                Row("scaling", f"{seconds * 1000:.0f} ms models, {slots} slots"),
                partial(self._scaling, seconds, slots),
            )
            for seconds in FAKE_SECONDS
            for slots in SLOTS
        ]

    def _photos(self, side: int, count: int) -> Path:
        folder = self._options.folder / f"photos-{next(self._numbers)}"
        photos.write(folder, side, count)
        return folder

    def _folders(self, side: int, processes: int) -> list[str]:
        count = self._options.warm + self._options.jobs
        return [str(self._photos(side, count)) for _ in range(processes)]

    def _bare(self, side: int) -> Round:
        commands = [
            ("-m", "workers.bench.bare", folder, str(self._options.warm))
            for folder in self._folders(side, self._options.processes)
        ]
        return together(commands, environment=ONE_THREAD)

    def _embedded(self, side: int) -> Round:
        processes = self._options.processes
        jobs, warm = self._options.jobs * processes, self._options.warm * processes
        return self._whole(side, jobs, processes, warm)

    def _scaling(self, seconds: float, slots: int) -> Round:
        found = self._whole(256, self._options.jobs * slots, slots, slots, f"{seconds}")
        ideal = found.jobs * MODEL_STEPS * seconds / slots
        extra = {"efficiency": ideal / found.seconds}
        return Round(found.jobs, found.seconds, found.cpu, {**found.extra, **extra})

    def _whole(self, side: int, jobs: int, concurrency: int, warm: int, *fake: str) -> Round:
        folder = self._photos(side, warm + jobs)
        data = self._options.folder / f"data-{next(self._numbers)}"
        numbers = (str(concurrency), str(warm))
        command = ("-m", "workers.bench.whole", str(folder), str(data), *numbers, *fake)
        try:
            return together([command], environment=ONE_THREAD)
        finally:
            shutil.rmtree(data, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)

    def _peer(self, side: int, processes: int) -> Round:
        script = str(Path(__file__).with_name("peer.py"))
        classifier = str(Registry(self._options.models).path("efficientnet-lite0"))
        warm = str(self._options.warm)
        # One process may use every core, as it does for whoever just runs it.
        threads = ONE_THREAD if processes > 1 else {}
        return together(
            [(script, folder, classifier, warm) for folder in self._folders(side, processes)],
            environment={**threads, **peer_weights(self._options.folder, self._options.models)},
            python=str(self._options.peer),
        )


def peer_weights(folder: Path, models: Path | None) -> dict[str, str]:
    """Environment in which rembg finds u2netp: our copy, so that nothing is downloaded for it.

    It is the published file with its batch size freed and its six side outputs left out, hence
    not the published checksum.
    """
    home = folder / "u2net"
    home.mkdir(exist_ok=True)
    link = home / "u2netp.onnx"
    if not link.exists():
        link.symlink_to(Registry(models).path("u2netp"))
    return {"U2NET_HOME": str(home), "MODEL_CHECKSUM_DISABLED": "1"}


def _lacks(python: Path) -> str:
    """Why this Python cannot run the peer; "" where it can."""
    command = (str(python), "-c", "import rapidocr, rembg, onnxruntime")
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{python}: {error.strerror}"
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""
