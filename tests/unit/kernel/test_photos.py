"""Finding photos in folders, and the jobs that are made of them."""

import os
import sys
from pathlib import Path

import pytest

from packshot.contract import CUTOUT, MAIN, Job, Output
from packshot.errors import NotFound
from workers import photos


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "photo10.jpg",
        "photo2.JPG",
        "photo1.png",
        "notes.txt",
        ".hidden.jpg",
        ".cache/a.jpg",
        "sub/Photo3.webp",
        "sub/.git/b.jpg",
        "sub/c.heic",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "folder.jpg").mkdir()
    return tmp_path


def names(folder: Path, found: list[Path]) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in found]


def test_a_folder_is_searched_to_its_bottom_in_the_order_that_people_expect(folder: Path) -> None:
    assert names(folder, photos.find([folder])) == [
        "photo1.png",
        "photo2.JPG",
        "photo10.jpg",
        "sub/c.heic",
        "sub/Photo3.webp",
    ]


def test_what_is_named_is_taken_whatever_it_is_called(folder: Path) -> None:
    found = photos.find([folder / "notes.txt", folder / ".hidden.jpg"])
    assert names(folder, found) == ["notes.txt", ".hidden.jpg"]


def test_what_is_named_comes_in_that_order_and_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    found = photos.find([Path("sub/c.heic"), folder / "photo10.jpg", Path("sub"), Path()])
    assert names(folder, found) == [
        "sub/c.heic",
        "photo10.jpg",
        "sub/Photo3.webp",
        "photo1.png",
        "photo2.JPG",
    ]


def test_a_hidden_folder_that_is_named_is_searched(folder: Path) -> None:
    assert names(folder, photos.find([folder / ".cache"])) == [".cache/a.jpg"]


def test_a_link_to_a_photo_is_that_photo(folder: Path) -> None:
    (folder / "sub" / "link.jpg").symlink_to(folder / "photo1.png")
    found = photos.find([folder])
    assert names(folder, found).count("photo1.png") == 1
    assert len(found) == 5


def test_what_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(NotFound, match=r"There is no file or folder .*gone\.jpg"):
        photos.find([folder, folder / "gone.jpg"])


def test_the_same_photo_is_the_same_job(folder: Path) -> None:
    path = folder / "photo1.png"
    assert photos.job(path, (CUTOUT,)) == photos.job(path, (CUTOUT,))


def test_a_job_id_does_not_change_from_release_to_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jpg").write_bytes(b"a")
    # An interrupted run that is started again after an upgrade goes on where it was.
    assert photos.job(Path("a.jpg"), ()).job_id == "a.jpg@85213f04fc7fa825"


@pytest.mark.parametrize("change", ["content", "outputs", "place"])
def test_another_photo_or_another_wish_is_another_job(folder: Path, change: str) -> None:
    path = folder / "photo1.png"
    before = photos.job(path, (CUTOUT,))
    outputs: tuple[Output, ...] = (CUTOUT,)
    if change == "content":
        path.write_bytes(b"other")
    elif change == "place":
        path = path.rename(folder / "sub" / "photo1.png")
    else:
        outputs = (CUTOUT, MAIN)
    after = photos.job(path, outputs)
    assert after.job_id != before.job_id
    assert after.job_id.split("@")[0] == before.job_id.split("@")[0] == "photo1.png"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems forbid such names")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("旺仔牛奶 正面.jpg".encode(), id="chinese"),
        pytest.param(b"two\nlines.jpg", id="newline"),
        pytest.param(b"latin-\xe9.jpg", id="not utf-8"),
        pytest.param(b"%41#?.jpg", id="looks like a url"),
        pytest.param(b"x" * 250 + b".jpg", id="long"),
    ],
)
def test_any_file_name_makes_a_job_that_can_be_sent(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"photo")
    (found,) = photos.find([tmp_path])
    job = photos.job(found, (CUTOUT,))
    assert Job.parse(job.model_dump_json()) == job


@pytest.mark.skipif(sys.platform != "linux", reason="other systems forbid such names")
def test_a_file_with_an_odd_name_is_found_again_by_its_address(tmp_path: Path) -> None:
    from packshot.fetch import Fetcher, Policy

    path = tmp_path / "two\nlines #1.jpg"
    path.write_bytes(b"photo")
    job = photos.job(path, ())
    fetched = Fetcher(Policy(allow_files=True)).fetch(job.image.uri)
    assert (fetched.data, fetched.filename) == (b"photo", "twolines #1.jpg")
