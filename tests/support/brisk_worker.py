"""A worker of role `all` with fakes whose connections need a sign of life every SECONDS seconds.

python -m tests.support.brisk_worker SECONDS PROBES
"""

import sys
from pathlib import Path

from packshot.settings import Settings
from workers.health import Probes
from workers.lifecycle import Options, Worker
from workers.roles import role


def main(seconds: str, probes: str) -> int:
    """Run until told to stop."""
    options = Options(
        role=role("all"), concurrency=4, probes=Probes(Path(probes)), fake_seconds=0.0
    )
    worker = Worker(Settings.load(), options)
    worker.app.conf.broker_heartbeat = float(seconds)
    return worker.run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
