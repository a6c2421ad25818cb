"""Packshot without servers: the embedded run, its ledger, its queue and its object store.

    python -m workers.bench.whole FOLDER DATA CONCURRENCY [SECONDS]

With SECONDS the models are fakes that take so long, for the cost of everything around them. Says
`ready`, waits for a line on its input, runs the photos and prints what it took as JSON.
"""

import json
import logging
import resource
import sys
import time
from pathlib import Path

from models.fake import fake_models
from packshot.contract import CUTOUT, MAIN, Step
from workers import photos
from workers.bench.process import resident
from workers.embedded import Embedded, settings_for
from workers.services import load_models

#: Photos that are run before the memory is first looked at; growth is told of twice as many.
WARM = 12


def main() -> int:
    """One embedded run."""
    folder, data, concurrency = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    logging.disable(logging.WARNING)
    settings = settings_for(data)
    if len(sys.argv) > 4:
        models = fake_models(seconds=float(sys.argv[4]))
    else:
        models = load_models(settings, tuple(Step), callers=concurrency)
    embedded = Embedded(settings, models, concurrency=concurrency)
    outputs = (CUTOUT, MAIN.model_copy(update={"size": 1000}))
    jobs = [photos.job(path, outputs) for path in sorted(folder.iterdir())]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    done, warm = 0, 0

    def tell(_row: object, step: Step | None) -> None:
        nonlocal done, warm
        done += step is None
        if done == min(WARM, len(jobs)) and not warm:
            warm = resident()

    started, cpu = time.monotonic(), time.process_time()
    embedded.process(jobs, tell)
    took = {"seconds": time.monotonic() - started, "cpu": time.process_time() - cpu}
    memory = {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    if len(jobs) > 2 * WARM:
        memory["growth_kib_per_job"] = (resident() - warm) / (len(jobs) - WARM) / 1024
    sys.stdout.write(json.dumps(took | {"jobs": len(jobs), "extra": memory}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
