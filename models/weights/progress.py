"""How a pull tells somebody what it is doing."""

from typing import Protocol


class Progress(Protocol):
    """Receives the steps of a pull, model by model."""

    def stage(self, name: str, doing: str, total: int | None = None) -> None:
        """`name` is now `doing` something that takes `total` bytes, where that is known."""

    def advance(self, name: str, amount: int) -> None:
        """`amount` more bytes are done."""

    def done(self, name: str, outcome: str) -> None:
        """`name` is ready."""


class Silent:
    """Tells nobody."""

    def stage(self, name: str, doing: str, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, name: str, amount: int) -> None:
        """Ignore it."""

    def done(self, name: str, outcome: str) -> None:
        """Ignore it."""
