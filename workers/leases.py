"""Signs of life: a thread that renews the leases of the steps that this process runs."""

import logging
import threading
import time
from types import TracebackType
from typing import Self

from packshot.errors import Transient
from packshot.store.ledger import Ledger
from tasks.running import Running

log = logging.getLogger(__name__)

#: Renewals in one lease: two may fail before a living worker counts as dead.
RENEWALS = 3
#: Seconds between two tries to give back attempts that the ledger could not be told of.
DEBT_SECONDS = 0.5


class Leases:
    """Renews while it is entered. One statement for all steps of the process, however many."""

    def __init__(self, ledger: Ledger, running: Running, lease_seconds: float) -> None:
        self._ledger = ledger
        self._running = running
        self._pause = lease_seconds / RENEWALS
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopping.wait(DEBT_SECONDS):
            try:
                self._running.settle(self._ledger.release)
                if time.monotonic() >= due:
                    due = time.monotonic() + self._pause
                    self._ledger.renew(self._running.held())
            except Transient as error:
                log.warning("leases are not renewed: %s", error)
            except Exception:
                # Without this thread every step of a healthy worker would be taken from it.
                log.exception("leases are not renewed")
