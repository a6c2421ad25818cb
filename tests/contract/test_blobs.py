"""Every object store keeps the same promises: one suite over all of them."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from packshot.errors import ForbiddenAddress, NotFound
from packshot.store.blobs import BlobStore, FolderBlobs, MemoryBlobs, open_blobs
from tests.support.s3_server import Bucket

#: Writers that race for one key.
WRITERS = 4


@pytest.fixture(params=["memory", "folder", pytest.param("s3", marks=pytest.mark.services)])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "memory":
        return MemoryBlobs()
    if request.param == "folder":
        return FolderBlobs(tmp_path / "store")
    bucket: Bucket = request.getfixturevalue("s3")
    return open_blobs(bucket.url, access_key=bucket.access_key, secret_key=bucket.secret_key)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", os.urandom(3_000_000)],
    ids=["empty", "one byte", "3 MB"],
)
def test_bytes_come_back_as_they_were(blobs: BlobStore, data: bytes) -> None:
    blobs.put("originals/ab/abc.jpg", data, "image/jpeg")
    assert blobs.get("originals/ab/abc.jpg") == data
    assert blobs.size("originals/ab/abc.jpg") == len(data)


@pytest.mark.parametrize(
    "key",
    [
        "a",
        "outputs/20261123/101500_SKU 1/main photo_matte.png",
        "outputs/20261123/101500_茶/正面 (1)_matte.png",
        "work/ñandú+b&c=d?e#f%20g.png",
        "work/" + "x" * 255,
        "..a/b..c/...",
    ],
    ids=["short", "blank", "chinese", "url characters", "long part", "dots"],
)
def test_names_survive(blobs: BlobStore, key: str) -> None:
    blobs.put(key, b"bytes", "image/png")
    assert blobs.get(key) == b"bytes"
    assert list(blobs.list("")) == [key]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../secret",
        "work/../../secret",
        "work/..",
        "work/./x",
        "work//x",
        "work/",
        "work\\..\\secret",
        "work/x\x00.png",
        "work/x\n.png",
        "work/" + "x" * 256,
        "/".join(["x" * 200] * 6),
    ],
    ids=[
        "empty",
        "absolute",
        "parent",
        "parent inside",
        "parent at the end",
        "dot",
        "empty part",
        "slash at the end",
        "backslash",
        "nul",
        "newline",
        "part too long",
        "too long",
    ],
)
def test_names_that_leave_the_store_are_refused_everywhere(blobs: BlobStore, key: str) -> None:
    with pytest.raises(ForbiddenAddress, match="is no object name"):
        blobs.put(key, b"bytes", "image/png")
    with pytest.raises(ForbiddenAddress):
        blobs.put_new(key, b"bytes", "image/png")
    with pytest.raises(ForbiddenAddress):
        blobs.get(key)
    with pytest.raises(ForbiddenAddress):
        blobs.size(key)
    with pytest.raises(ForbiddenAddress):
        blobs.delete(key)
    assert list(blobs.list("")) == []


def test_what_is_not_there(blobs: BlobStore) -> None:
    with pytest.raises(NotFound, match="work/none"):
        blobs.get("work/none")
    assert blobs.size("work/none") is None
    blobs.delete("work/none")
    assert list(blobs.list("work/")) == []


def test_a_folder_of_objects_is_not_an_object(blobs: BlobStore) -> None:
    blobs.put("work/abc/image.png", b"bytes", "image/png")
    with pytest.raises(NotFound):
        blobs.get("work/abc")
    assert blobs.size("work/abc") is None
    blobs.delete("work/abc")
    with pytest.raises(NotFound):
        blobs.get("work/abc/image.png/deeper")
    assert blobs.get("work/abc/image.png") == b"bytes"


def test_put_replaces(blobs: BlobStore) -> None:
    blobs.put("work/x", b"old", "image/png")
    blobs.put("work/x", b"newer", "image/png")
    blobs.put("work/x", b"newer", "image/png")
    assert blobs.get("work/x") == b"newer"
    assert list(blobs.list("")) == ["work/x"]


def test_put_new_never_replaces(blobs: BlobStore) -> None:
    assert blobs.put_new("work/x", b"first", "image/png") is True
    assert blobs.put_new("work/x", b"second", "image/png") is False
    assert blobs.get("work/x") == b"first"
    blobs.delete("work/x")
    assert blobs.put_new("work/x", b"third", "image/png") is True


def test_of_racing_writers_exactly_one_wins(blobs: BlobStore) -> None:
    start = Barrier(WRITERS)

    def write(number: int) -> bool:
        start.wait(30)
        return blobs.put_new("work/race", b"%d" % number * 1000, "image/png")

    with ThreadPoolExecutor(WRITERS) as pool:
        won = list(pool.map(write, range(WRITERS)))
    assert won.count(True) == 1
    assert blobs.get("work/race") == b"%d" % won.index(True) * 1000


def test_readers_never_see_a_part(blobs: BlobStore) -> None:
    versions = [bytes([number]) * 200_000 for number in range(8)]
    blobs.put("work/x", versions[0], "image/png")
    start = Barrier(2)

    def write() -> None:
        start.wait(30)
        for version in versions:
            blobs.put("work/x", version, "image/png")

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        start.wait(30)
        while not writing.done():
            assert blobs.get("work/x") in versions
        writing.result()
    assert blobs.get("work/x") == versions[-1]


def test_delete(blobs: BlobStore) -> None:
    blobs.put("work/x", b"bytes", "image/png")
    blobs.put("work/y", b"bytes", "image/png")
    blobs.delete("work/x")
    assert blobs.size("work/x") is None
    assert list(blobs.list("work/")) == ["work/y"]


def test_list_takes_any_prefix(blobs: BlobStore) -> None:
    keys = ["work/a/1", "work/a/2", "work/ab/1", "outputs/a/1"]
    for key in keys:
        blobs.put(key, b"", "image/png")
    assert sorted(blobs.list("")) == sorted(keys)
    assert sorted(blobs.list("work/")) == ["work/a/1", "work/a/2", "work/ab/1"]
    assert sorted(blobs.list("work/a/")) == ["work/a/1", "work/a/2"]
    assert sorted(blobs.list("work/a")) == ["work/a/1", "work/a/2", "work/ab/1"]
    assert list(blobs.list("nothing")) == []


def test_check_leaves_nothing_behind(blobs: BlobStore) -> None:
    blobs.check()
    assert list(blobs.list("")) == []


def test_a_sweep_takes_what_the_dead_left_behind_and_nothing_else(blobs: BlobStore) -> None:
    blobs.put("originals/ab/abc.jpg", b"kept", "image/jpeg")
    blobs.put("check-of-a-worker-that-died", b"packshot", "text/plain")
    assert blobs.sweep(timedelta(hours=1)) == 0
    left = 0 if isinstance(blobs, MemoryBlobs) else 1
    # As if an hour had passed: everything is older than a moment in the future.
    assert blobs.sweep(timedelta(hours=-1)) == left
    assert blobs.sweep(timedelta(hours=-1)) == 0
    assert blobs.get("originals/ab/abc.jpg") == b"kept"


def test_old_objects_below_a_prefix_are_pruned(blobs: BlobStore) -> None:
    for key in ("views/a", "views/b/c", "work/a"):
        blobs.put(key, b"bytes", "image/jpeg")
    assert blobs.prune("views/", timedelta(hours=1)) == 0
    assert blobs.prune("views/", timedelta(hours=-1)) == 2
    assert list(blobs.list("")) == ["work/a"]


def test_half_a_file_of_a_dead_writer_is_swept(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    blobs.put("a", b"whole", "text/plain")
    half = tmp_path / ".incoming" / "half"
    half.write_bytes(b"ha")
    assert blobs.sweep(timedelta(hours=-1)) == 1
    assert not half.exists()
    assert blobs.get("a") == b"whole"
