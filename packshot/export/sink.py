"""Where an export goes: a folder in which a reader never sees half a file."""

import json
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self


class Lines:
    """A text file that grows beside its place and takes it when everything is written."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        self._file: IO[str] = self._part.open("w", encoding="utf-8", newline="\n")

    def write(self, line: str) -> None:
        """Add one line, without its end."""
        self._file.write(line + "\n")

    def json(self, value: Any) -> None:
        """Add one line of JSON, the same text for the same value."""
        self.write(json.dumps(value, ensure_ascii=False, sort_keys=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink()


def put_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; one with the same bytes is left as it is."""
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
