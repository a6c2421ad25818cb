"""What the housekeeper does besides restarting jobs."""

import os
import time
from pathlib import Path

from celery import Celery

from packshot.store.blobs import FolderBlobs
from packshot.store.engine import open_engine
from packshot.store.ledger import Ledger
from workers.housekeeping import ABANDONED, Housekeeper


def test_a_sweep_leaves_what_somebody_may_still_be_writing(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "store")
    blobs.put("originals/a.jpg", b"kept", "image/jpeg")
    old, new = (tmp_path / "store" / ".incoming" / name for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    before = time.time() - ABANDONED.total_seconds() - 1
    os.utime(old, (before, before))
    ledger = Ledger(open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}"), pipeline="test")
    keeper = Housekeeper(
        Celery(set_as_current=False), ledger, seconds=60, lease_seconds=30, blobs=blobs
    )
    assert keeper.sweep() == 1
    assert (old.exists(), new.exists()) == (False, True)
    assert blobs.get("originals/a.jpg") == b"kept"
