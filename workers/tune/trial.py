"""One trial in a process of its own: `python -m workers.tune.trial KNOBS FOLDER COUNT`.

Models, arenas and threads of one trial must not weigh on the next. It behaves as what
`workers.bench.process` runs: says `ready` when it is warm, waits for a line, prints its figures.
"""

import itertools
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packshot.contract import Step
from packshot.errors import PackshotError
from packshot.settings import Settings
from workers.bench.bare import process
from workers.bench.process import together
from workers.services import load_models
from workers.tune.knobs import Knobs


def measure(knobs: Knobs, folder: Path, count: int) -> float | None:
    """Photos a second; None where it fails, such as for lack of memory."""
    command = ("-m", "workers.tune.trial", knobs.model_dump_json(), str(folder), str(count))
    try:
        found = together([command])
    except PackshotError:
        return None
    return found.jobs / found.seconds


def main() -> int:
    """Run one trial."""
    knobs, folder = Knobs.model_validate_json(sys.argv[1]), Path(sys.argv[2])
    # Never fewer than two for each thread, or the last one's idling would be measured.
    count = max(int(sys.argv[3]), 2 * knobs.concurrency)
    photos = [path.read_bytes() for path in sorted(folder.iterdir())]
    wanted = {"threads": knobs.threads, "batch_size": knobs.batch, "batch_wait": knobs.wait}
    settings = Settings.load().model_copy(update=wanted)
    models = load_models(settings, tuple(Step), callers=knobs.concurrency)

    def run(number: int) -> None:
        some = [photos[at % len(photos)] for at in range(number)]
        list(pool.map(process, some, itertools.repeat(models)))

    with ThreadPoolExecutor(knobs.concurrency) as pool:
        run(knobs.concurrency)  # every thread warms up
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        started, cpu = time.monotonic(), time.process_time()
        run(count)
        took = {"seconds": time.monotonic() - started, "cpu": time.process_time() - cpu}
    sys.stdout.write(json.dumps(took | {"jobs": count}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
