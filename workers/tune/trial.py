"""One trial in a process of its own: `python -m workers.tune.trial KNOBS FOLDER COUNT`.

Models, arenas and threads of one trial must not weigh on the next. Prints photos a second.
"""

import itertools
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packshot.contract import Step
from packshot.settings import Settings
from workers.bench.bare import process
from workers.services import load_models
from workers.tune.knobs import Knobs

#: Longest trial, seconds: a way that takes longer is no way.
PATIENCE = 900.0


def measure(knobs: Knobs, folder: Path, count: int) -> float | None:
    """Photos a second in a process of its own; None where it fails, such as for lack of memory."""
    command = (sys.executable, "-m", "workers.tune.trial")
    try:
        done = subprocess.run(  # noqa: S603 - this module
            (*command, knobs.model_dump_json(), str(folder), str(count)),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return None
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def run(knobs: Knobs, photos: Sequence[bytes], count: int) -> float:
    """Photos a second after a warm-up in every thread."""
    settings = Settings.load().model_copy(
        update={
            "threads": knobs.threads,
            "batch_size": knobs.batch,
            "batch_wait": knobs.wait,
        }
    )
    models = load_models(settings, tuple(Step), callers=knobs.concurrency)
    with ThreadPoolExecutor(knobs.concurrency) as pool:
        warm = [photos[number % len(photos)] for number in range(knobs.concurrency)]
        list(pool.map(lambda data: process(data, models), warm))
        # Never fewer than two for each thread, or the last one's idling would be measured.
        count = max(count, 2 * knobs.concurrency)
        some = list(itertools.islice(itertools.cycle(photos), count))
        began = time.perf_counter()
        list(pool.map(lambda data: process(data, models), some))
        return count / (time.perf_counter() - began)


def main() -> int:
    """Run one trial."""
    knobs, folder, count = Knobs.model_validate_json(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    photos = [path.read_bytes() for path in sorted(folder.iterdir())]
    sys.stdout.write(f"{run(knobs, photos, int(count))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
