"""What time it is, as an argument: tests and the simulation bring their own."""

from collections.abc import Callable
from datetime import UTC, datetime

#: Returns an aware datetime in UTC.
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the wall-clock time in UTC."""
    return datetime.now(UTC)
