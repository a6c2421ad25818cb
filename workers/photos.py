"""Finding the photos that a person means, and turning them into jobs."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from packshot.contract import Image, Job, Lane, Output
from packshot.errors import NotFound
from packshot.jsontext import escaped

#: File names that are photos. Inside a folder anything else is passed over; a file that is named
#: itself is always tried.
SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".gif",
        ".bmp",
        ".dib",
        ".tif",
        ".tiff",
        ".heic",
        ".heif",
        ".avif",
    ]
)
#: Source of the jobs of `packshot run`.
SOURCE = "run"


def find(paths: Iterable[Path]) -> list[Path]:
    """Every photo in `paths`, folders searched to their bottom, each once, in natural order.

    Hidden files and folders are passed over. Raises `NotFound` for a path that does not exist.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise NotFound(f"There is no file or folder {path}.")
        for one in _inside(path) if path.is_dir() else (path,):
            found[one.resolve()] = None
    return list(found)


def _inside(folder: Path) -> Iterator[Path]:
    photos = (
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    return iter(sorted(photos, key=_natural))


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key under which photo2 comes before photo10."""
    parts = re.split(r"(\d+)", str(path).lower())
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


def job(path: Path, outputs: tuple[Output, ...]) -> Job:
    """The job of one photo.

    Its id names the file, its content and the outputs: the same photo again is the same job, which
    is how an interrupted run goes on, and a changed photo is a new one.
    """
    wanted = "".join(output.model_dump_json() for output in outputs)
    content = hashlib.sha256(path.read_bytes())
    content.update(wanted.encode())
    content.update(os.fsencode(path))
    return Job(
        version=1,
        source=SOURCE,
        job_id=f"{escaped(path.name[-200:], 200)}@{content.hexdigest()[:16]}",
        sku=escaped(path.stem, 128),
        image=Image(uri=_address(path)),
        lane=Lane.BULK,
        outputs=outputs,
    )


def _address(path: Path) -> str:
    """The path as it is, or as a URL where it holds what a message must not."""
    plain = str(path)
    return plain if escaped(plain, len(plain)) == plain else path.resolve().as_uri()
