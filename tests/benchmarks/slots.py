"""Models that only sleep, on 1 to 32 slots over servers: `python -m tests.benchmarks.slots`.

What it shows is everything but the models: RabbitMQ, Postgres, S3 and the workers' own work, on the
cores of this machine. Efficiency is the share of what as many sleepers would do that did nothing
else; the slots are spread over processes of at most eight. With few photos a slot the end counts,
when some slots have none left: 0.85 instead of 0.90 with twelve.
"""

import argparse
import sys

from packshot.contract import OPTIONAL_STEPS
from tests.benchmarks.rig import installation
from tests.benchmarks.versus import FleetRounds
from workers.bench.plan import SLOTS

#: Slots of one process.
EACH = 8
#: Longer side of the photos, pixels: as small as they are worth rendering.
SIDE = 256


def main() -> int:
    """Measure each number of slots in turn and print a line for it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=0.5, help="what a model takes")
    parser.add_argument("--slots", type=int, nargs="+", default=SLOTS)
    parser.add_argument("--jobs", type=int, default=40, help="photos for each slot")
    parser.add_argument(
        "--warm", type=int, default=2, help="photos for each slot, before the clock"
    )
    given = parser.parse_args()
    with installation() as fleet:
        rounds = FleetRounds(fleet, given.warm)
        for slots in given.slots:
            workers = f"{-(-slots // EACH)}x{min(slots, EACH)}"
            fakes = ("--fake-models", f"{given.seconds}")
            found = rounds.run(SIDE, workers, given.jobs * slots, options=fakes)
            rate, cpu = found.jobs / found.seconds, found.cpu / found.jobs * 1000
            best = slots / (len(OPTIONAL_STEPS) * given.seconds)
            print(
                f"{slots:3} slots ({workers})  {rate:6.2f} jobs/s  efficiency {rate / best:.2f}  "
                f"{cpu:4.0f} ms CPU a job  {rate * cpu / 1000:.2f} cores",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
