"""What the hourly sweep takes away, and what it leaves."""

import os
import time
from pathlib import Path

from packshot.store.blobs import FolderBlobs
from workers.sweeper import ABANDONED, VIEWS_KEPT, Sweeper


def _age(path: Path, seconds: float) -> None:
    at = time.time() - seconds
    os.utime(path, (at, at))


def test_a_sweep_leaves_what_somebody_may_still_be_writing(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "store")
    blobs.put("originals/a.jpg", b"kept", "image/jpeg")
    old, new = (tmp_path / "store" / ".incoming" / name for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    _age(old, ABANDONED.total_seconds() + 1)
    assert Sweeper(blobs).sweep() == 1
    assert (old.exists(), new.exists()) == (False, True)
    assert blobs.get("originals/a.jpg") == b"kept"


def test_pictures_of_pages_go_after_a_week_and_nothing_else_does(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    kept = ("originals/a.jpg", "work/a/image.png", "outputs/1/a.jpg", "views/new-screen")
    for key in (*kept, "views/old-screen"):
        blobs.put(key, b"bytes", "image/jpeg")
        if "new" not in key:
            _age(tmp_path / key, VIEWS_KEPT.total_seconds() + 60)
    assert Sweeper(blobs).sweep() == 1
    assert sorted(blobs.list("")) == sorted(kept)


def test_it_sweeps_once_an_hour(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    blobs.put("views/old", b"bytes", "image/jpeg")
    _age(tmp_path / "views" / "old", 2 * VIEWS_KEPT.total_seconds())
    Sweeper(blobs).sweep_when_due()  # not due: it has only just been made
    assert list(blobs.list("views/")) == ["views/old"]
