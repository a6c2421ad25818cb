"""COCO: annotations.json beside images/. The product with category, box and mask; the text lines.

The mask is an uncompressed run-length code, as pycocotools reads it. A line of text is of the
category `text`, with its polygon as segmentation and its letters in `attributes.text`.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packshot.export.pixels import Pixels, png
from packshot.export.sink import Lines, put_file
from packshot.store.examples import Example

#: Id of the category of text lines: the classifier's classes have their own, from 0.
TEXT = 10_000
#: From this alpha on a pixel belongs to the product.
SOLID = 128


class Coco:
    """Accepted items. The lists grow in files of their own and are put together at the end."""

    def __init__(self, folder: Path, pixels: Pixels, stack: ExitStack) -> None:
        self._folder = folder
        self._pixels = pixels
        self._images = 0
        self._annotations = 0
        self._categories: dict[int, str] = {TEXT: "text"}
        self._lists = {
            name: stack.enter_context(Lines(folder / f".{name}.jsonl"))
            for name in ("images", "annotations")
        }

    def add(self, example: Example) -> bool:
        """Write one item."""
        result = example.result
        if not example.accepted or not (result.get("matte") or result.get("text")):
            return False
        photo = self._pixels.photo(example)
        height, width = photo.shape[:2]
        name = f"{example.name}.png"
        put_file(self._folder / "images" / name, png(photo))
        self._images += 1
        self._lists["images"].json(
            {"id": self._images, "file_name": name, "width": width, "height": height,
             "packshot": example.provenance()}
        )  # fmt: skip
        for annotation in (*self._product(example), *self._text(result)):
            self._annotations += 1
            self._lists["annotations"].json(
                {"id": self._annotations, "image_id": self._images, "iscrowd": 0, **annotation}
            )
        return True

    def finish(self) -> None:
        """Put the lists together; the whole file appears at once."""
        parts = {name: self._folder / f".{name}.jsonl" for name in self._lists}
        named = sorted(self._categories.items())
        categories = [{"id": number, "name": name} for number, name in named]
        with Lines(self._folder / "annotations.json") as out:
            out.write('{"info": {"description": "Packshot: reviewed product photos"},')
            out.write(f'"categories": {json.dumps(categories, ensure_ascii=False)},')
            for name, part in parts.items():
                out.write(f'"{name}": [')
                for line in _separated(part):
                    out.write(line)
                out.write("]" if name == "annotations" else "],")
            out.write("}")
        for part in parts.values():
            part.unlink()

    def _product(self, example: Example) -> Iterator[dict[str, Any]]:
        matte = example.result.get("matte")
        categories = (example.result.get("recognition") or {}).get("categories")
        if not (matte and categories and matte["box"]):
            return
        top, box = categories[0], matte["box"]
        self._categories[top["id"]] = top["en"]
        mask = self._pixels.alpha(example) >= SOLID
        yield {
            "category_id": top["id"],
            "bbox": [
                box["left"],
                box["top"],
                box["right"] - box["left"],
                box["bottom"] - box["top"],
            ],
            "area": int(mask.sum()),
            "segmentation": {"size": list(mask.shape), "counts": run_lengths(mask)},
            "attributes": {"zh": top["zh"]},
        }

    @staticmethod
    def _text(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for line in (result.get("text") or {}).get("lines", ()):
            xs, ys = zip(*line["polygon"], strict=True)
            left, top = min(xs), min(ys)
            width, height = max(xs) - left, max(ys) - top
            yield {
                "category_id": TEXT,
                "bbox": [left, top, width, height],
                "area": width * height,
                "segmentation": [[value for point in line["polygon"] for value in point]],
                "attributes": {"text": line["text"], "script": line["script"]},
            }


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """COCO's run lengths: down the columns, background first."""
    flat = np.concatenate(([False], mask.ravel(order="F"), [False]))
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    edges = np.concatenate(([0], changes, [mask.size]))
    counts: list[int] = np.diff(edges).tolist()
    return counts if counts[-1] else counts[:-1]


def _separated(path: Path) -> Iterator[str]:
    """The lines of a file, with a comma behind all but the last."""
    with path.open(encoding="utf-8") as file:
        before: str | None = None
        for line in file:
            if before is not None:
                yield before + ","
            before = line.rstrip("\n")
        if before is not None:
            yield before
