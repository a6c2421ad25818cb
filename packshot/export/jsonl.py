"""JSON Lines: everything that was said about every decided item, the rejected ones too."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from packshot.export.pixels import Pixels
from packshot.export.sink import Lines
from packshot.store.examples import Example


class JsonLines:
    """`items.jsonl`. Pictures are named by their keys in the object store and not copied."""

    def __init__(self, folder: Path, pixels: Pixels, stack: ExitStack) -> None:
        del pixels  # names are enough
        self._items = stack.enter_context(Lines(folder / "items.jsonl"))

    def add(self, example: Example) -> bool:
        """Write one item."""
        result = example.result
        recognition = result.get("recognition") or {}
        said: dict[str, Any] = {
            "text": (result.get("text") or {}).get("lines"),
            "category": next(iter(recognition.get("categories", ())), None),
            "brand": recognition.get("brand"),
            "model": recognition.get("model"),
            "matte": (result.get("matte") or {}).get("alpha_key"),
        }
        photo = (result.get("photo") or {}).get("work_key")
        self._items.json(
            {**example.provenance(), "photo": photo, "labels": said, "before": example.before}
        )
        return True

    def finish(self) -> None:
        """Every file is whole already."""
