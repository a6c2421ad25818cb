"""Logs: one JSON object a line, with the job and step that the thread is working on."""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

_bound: ContextVar[dict[str, Any]] = ContextVar("bound", default={})  # noqa: B039 - never changed


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Add `fields` to every line that this thread logs while inside."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def action(key: str, **fields: Any) -> dict[str, Any]:
    """`extra=` of a log call: what happened, under a key that searches and alerts may rely on."""
    return {"action": {"action": key, **fields}}


class _Bind(logging.Filter):
    """Copies the bound fields onto each record in the thread that logs it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.bound = _bound.get()
        return True


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, then the bound fields; an exception as one string."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record as one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "bound", {}),
            **getattr(record, "action", {}),
        }
        if record.exc_info:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """The same for eyes."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record, the bound fields at the end."""
        fields = " ".join(f"{name}={value}" for name, value in getattr(record, "bound", {}).items())
        return f"{super().format(record)} {fields}".rstrip()


def configure(level: str, style: Literal["text", "json"]) -> None:
    """Send all logs to stderr in one style. Called once, by an entry point."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Bind())
    handler.setFormatter(
        JsonFormatter()
        if style == "json"
        else TextFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
