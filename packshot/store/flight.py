"""Single flight: of several workers with the same photo, one computes and the others wait for it.

This only saves work. The ledger decides what is true, so a worker may compute although another one
does: whatever goes wrong here is answered with "compute".
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Flight(Protocol):
    """Agrees on who computes. Thread-safe; never raises."""

    def lead(self, key: str, seconds: float) -> AbstractContextManager[bool]:
        """Enter with True when this worker computes `key`, with False when somebody is at it.

        Args:
            key: names the input; equal key, equal result.
            seconds: after this time a leader counts as dead. Longer than computing may take:
                nothing is renewed.
        """


class NoFlight:
    """A `Flight` in which everybody leads: without Redis, equal photos may be computed twice."""

    @contextmanager
    def lead(self, key: str, seconds: float) -> Iterator[bool]:
        """See `Flight.lead`."""
        del key, seconds
        yield True
