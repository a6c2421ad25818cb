"""One export: every decided item, through one format, into a folder.

Nothing is kept in memory but one item, and the same items give the same files: an export that was
cut off is simply begun again.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from packshot.errors import NotFound
from packshot.export.coco import Coco
from packshot.export.folders import Folders
from packshot.export.jsonl import JsonLines
from packshot.export.pixels import Pixels
from packshot.export.ppocr import PpOcr
from packshot.export.sink import Lines
from packshot.store.examples import Example

log = logging.getLogger(__name__)


class Format(Protocol):
    """Writes items in one format."""

    def add(self, example: Example) -> bool:
        """Write one item; False where it has nothing for this format.

        Raises `NotFound` when a picture is gone.
        """

    def finish(self) -> None:
        """Called when everything is written and the files are closed."""


#: Formats by name: made with the folder, the pictures, and the stack that closes their files.
FORMATS: Mapping[str, Callable[[Path, Pixels, ExitStack], Format]] = {
    "jsonl": JsonLines,
    "coco": Coco,
    "ppocr": PpOcr,
    "folders": Folders,
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of the items: written, nothing in them for this format, picture gone."""

    written: int
    without: int
    gone: int


def export(examples: Iterable[Example], name: str, folder: Path, pixels: Pixels) -> Exported:
    """Write every item; `provenance.jsonl` says where each comes from."""
    counts = {"written": 0, "without": 0, "gone": 0}
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        provenance = stack.enter_context(Lines(folder / "provenance.jsonl"))
        writer = FORMATS[name](folder, pixels, stack)
        for example in examples:
            try:
                written = writer.add(example)
            except NotFound as error:
                log.warning("item %s is left out: %s", example.review, error)
                counts["gone"] += 1
                continue
            counts["written" if written else "without"] += 1
            if written:
                provenance.json(example.provenance())
    writer.finish()
    return Exported(**counts)
