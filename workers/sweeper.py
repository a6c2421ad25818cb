"""The object store's tidying: what nobody will ask for again goes, once an hour."""

import logging
import time
from datetime import timedelta

from packshot.store.blobs import VIEW_PREFIX, BlobStore

log = logging.getLogger(__name__)

#: Seconds between two sweeps.
EVERY_SECONDS = 3600.0
#: Age from which a temporary object has no writer any more: no step runs as long.
ABANDONED = timedelta(hours=6)
#: Age from which a picture that was made for a page goes: an item that is looked at later costs
#: one rendition again, and items older than a week are rare.
VIEWS_KEPT = timedelta(days=7)


class Sweeper:
    """Knows when it swept last. For one thread."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._swept = time.monotonic()

    def sweep_when_due(self) -> None:
        """Sweep, unless that was done less than an hour ago."""
        if time.monotonic() - self._swept > EVERY_SECONDS:
            self.sweep()

    def sweep(self) -> int:
        """Delete what dead writers left, and old pictures of pages; returns how many there were."""
        self._swept = time.monotonic()
        abandoned = self._blobs.sweep(ABANDONED)
        views = self._blobs.prune(VIEW_PREFIX, VIEWS_KEPT)
        if abandoned or views:
            log.info("swept: %d abandoned objects, %d old pictures of pages", abandoned, views)
        return abandoned + views
