"""PP-OCR's label files.

det_gt.txt   images/NAME.png <tab> [{"transcription": ..., "points": [[x, y], ...]}, ...]
rec_gt.txt   crops/NAME_N.png <tab> text

They are what `SimpleDataSet` of PaddleOCR reads.
"""

import json
from contextlib import ExitStack
from pathlib import Path

from packshot.export.pixels import Pixels, png
from packshot.export.sink import Lines, put_file
from packshot.imaging.crop import straighten
from packshot.store.examples import Example


class PpOcr:
    """Text of accepted items: the pictures whole, and every line cut out."""

    def __init__(self, folder: Path, pixels: Pixels, stack: ExitStack) -> None:
        self._folder = folder
        self._pixels = pixels
        self._detection = stack.enter_context(Lines(folder / "det_gt.txt"))
        self._recognition = stack.enter_context(Lines(folder / "rec_gt.txt"))

    def add(self, example: Example) -> bool:
        """Write one item; one without text teaches nothing."""
        lines = (example.result.get("text") or {}).get("lines")
        if not (example.accepted and lines):
            return False
        photo = self._pixels.photo(example)
        image = f"images/{example.name}.png"
        put_file(self._folder / image, png(photo))
        boxes = []
        for number, line in enumerate(lines):
            text = " ".join(line["text"].split())
            boxes.append({"transcription": text, "points": _whole(line["polygon"])})
            crop = straighten(photo, line["polygon"])
            if crop is not None:
                name = f"crops/{example.name}_{number}.png"
                put_file(self._folder / name, png(crop))
                self._recognition.write(f"{name}\t{text}")
        self._detection.write(f"{image}\t{json.dumps(boxes, ensure_ascii=False)}")
        return True

    def finish(self) -> None:
        """Every file is whole already."""


def _whole(polygon: list[list[float]]) -> list[list[int]]:
    return [[round(x), round(y)] for x, y in polygon]
