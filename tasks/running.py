"""Which steps this process runs at the moment: whose leases to renew, which one takes too long."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from models.cancel import Cancellation
from models.urgency import Urgency
from packshot.contract import Lane, Step
from packshot.errors import Fenced
from packshot.store.ledger import Ticket


@dataclass(slots=True)
class Slot:
    """One running step. `forsaken` steps are not renewed any more: they count as dead."""

    ticket: Ticket
    started: float
    cancellation: Cancellation = field(default_factory=Cancellation)
    forsaken: bool = False

    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.started


class Running:
    """The running steps of one process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: list[Slot] = []
        self._owed: list[Ticket] = []

    @contextmanager
    def entered(self, ticket: Ticket) -> Iterator[Slot]:
        """Count a step as running while inside; its models can be cancelled through the slot.

        They are told of the job's lane, too, so that live photos go into the next batch.
        """
        slot = Slot(ticket, time.monotonic())
        with self._lock:
            self._slots.append(slot)
        try:
            urgency = Urgency(live=ticket.job.lane is Lane.LIVE)
            with slot.cancellation.entered(), urgency.entered():
                yield slot
        finally:
            with self._lock:
                self._slots.remove(slot)

    def has(self, job: UUID, step: Step) -> bool:
        """Whether this process runs this step of this job, forsaken or not."""
        return any((one.ticket.id, one.ticket.step) == (job, step) for one in self.slots())

    def slots(self) -> tuple[Slot, ...]:
        """Everything that runs now."""
        with self._lock:
            return tuple(self._slots)

    def owe(self, ticket: Ticket) -> None:
        """Remember an attempt that must be given back once the ledger answers again."""
        with self._lock:
            self._owed.append(ticket)

    def settle(self, give_back: Callable[[Ticket], None]) -> None:
        """Give back what is owed; stops at the first `Transient`, which it raises."""
        while True:
            with self._lock:
                if not self._owed:
                    return
                ticket = self._owed[0]
            with suppress(Fenced):  # taken over meanwhile
                give_back(ticket)
            with self._lock:
                self._owed.remove(ticket)

    def held(self) -> tuple[Ticket, ...]:
        """The tickets whose leases this process answers for."""
        return tuple(slot.ticket for slot in self.slots() if not slot.forsaken)
