"""Packshot without servers: the embedded run, its ledger, its queue and its object store.

    python -m workers.bench.whole FOLDER DATA CONCURRENCY WARM [SECONDS]

With SECONDS the models are fakes that take so long, for the cost of everything around them. Warms
up with the first WARM photos, says `ready`, waits for a line on its input, runs the others and
prints what it took as JSON.
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

#: Photos from which on it is told how the memory grew.
ENOUGH = 24


def main() -> int:
    """One embedded run."""
    folder, data = Path(sys.argv[1]), Path(sys.argv[2])
    concurrency, warm = int(sys.argv[3]), int(sys.argv[4])
    logging.disable(logging.WARNING)
    settings = settings_for(data)
    if len(sys.argv) > 5:
        models = fake_models(seconds=float(sys.argv[5]))
    else:
        models = load_models(settings, tuple(Step), callers=concurrency)
    outputs = (CUTOUT, MAIN.model_copy(update={"size": 1000}))
    jobs = [photos.job(path, outputs) for path in sorted(folder.iterdir())]
    # A run works on one list of jobs: what it warms up is the process, for the run after it.
    Embedded(settings, models, concurrency=concurrency).process(jobs[:warm])
    embedded, jobs = Embedded(settings, models, concurrency=concurrency), jobs[warm:]
    held = resident()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    started, cpu = time.monotonic(), time.process_time()
    embedded.process(jobs)
    took = {"seconds": time.monotonic() - started, "cpu": time.process_time() - cpu}
    memory = {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    if len(jobs) >= ENOUGH:
        memory["growth_kib_per_job"] = (resident() - held) / len(jobs) / 1024
    sys.stdout.write(json.dumps(took | {"jobs": len(jobs), "extra": memory}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
