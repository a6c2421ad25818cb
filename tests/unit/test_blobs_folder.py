"""What a folder does when the disk does not do its part."""

import errno
import os
from pathlib import Path

import pytest

from packshot.errors import ConfigurationError, StorageUnavailable
from packshot.store.blobs import FolderBlobs


def test_a_full_disk_may_pass_and_leaves_the_old_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = FolderBlobs(tmp_path)
    blobs.put("work/x", b"old", "image/png")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageUnavailable, match="free space"):
        blobs.put("work/x", b"new", "image/png")
    assert blobs.get("work/x") == b"old"
    assert list(blobs.list("")) == ["work/x"]
    assert list((tmp_path / ".incoming").iterdir()) == []


def test_a_file_where_the_folder_should_be_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="rights"):
        FolderBlobs(tmp_path / "store").check()


def test_a_file_system_without_links_is_a_wrong_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", unsupported)
    with pytest.raises(ConfigurationError, match="hard links"):
        FolderBlobs(tmp_path).put_new("work/x", b"bytes", "image/png")


def test_half_written_files_are_not_listed(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    (tmp_path / ".incoming").mkdir()
    (tmp_path / ".incoming" / "half").write_bytes(b"")
    assert list(blobs.list("")) == []
