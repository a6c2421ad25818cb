"""Folder pairs for matting: image/NAME.png, alpha/NAME.png, trimap/NAME.png."""

from contextlib import ExitStack
from pathlib import Path

from packshot.export.pixels import Pixels, png
from packshot.export.sink import put_file
from packshot.imaging.encode import encode_grey
from packshot.imaging.trimap import trimap_of
from packshot.store.examples import Example


class Folders:
    """Mattes of accepted items."""

    def __init__(self, folder: Path, pixels: Pixels, stack: ExitStack) -> None:
        del stack  # nothing stays open
        self._folder = folder
        self._pixels = pixels

    def add(self, example: Example) -> bool:
        """Write one item; one without a matte teaches nothing."""
        if not (example.accepted and example.result.get("matte")):
            return False
        alpha = self._pixels.alpha(example)
        for kind, data in (
            ("image", png(self._pixels.photo(example))),
            ("alpha", encode_grey(alpha)),
            ("trimap", encode_grey(trimap_of(alpha))),
        ):
            put_file(self._folder / kind / f"{example.name}.png", data)
        return True

    def finish(self) -> None:
        """Every file is whole already."""
