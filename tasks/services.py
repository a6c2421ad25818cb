"""What the stages work with, built once per process and passed on."""

from dataclasses import dataclass, field

from models.bundle import Models
from packshot.fetch import Fetcher
from packshot.imaging.decode import Limits
from packshot.routing import PolicySource
from packshot.settings import Settings
from packshot.store.blobs import BlobStore
from packshot.store.flight import Flight, NoFlight
from packshot.store.ledger import Ledger
from packshot.store.outbox import Outbox
from packshot.store.reviews import Reviews
from packshot.store.views import Views
from packshot.tracing import NoTracing, Tracing
from tasks.pixels import PixelCache


@dataclass(frozen=True, slots=True)
class Services:
    """The ledger, the object store, the models: everything with a life of its own."""

    settings: Settings
    ledger: Ledger
    views: Views
    outbox: Outbox
    blobs: BlobStore
    fetcher: Fetcher
    models: Models
    policy: PolicySource
    #: Who holds the leases: a name that no other process has, or had before a restart.
    worker: str
    pixels: PixelCache = field(default_factory=PixelCache)
    #: Who computes, where several workers have the same photo.
    flight: Flight = field(default_factory=NoFlight)
    #: The review queue, where this process keeps it in order.
    reviews: Reviews | None = None
    tracing: Tracing = field(default_factory=NoTracing)

    @property
    def limits(self) -> Limits:
        """How large a photo may be."""
        return Limits(max_bytes=self.settings.max_bytes, max_pixels=self.settings.max_pixels)
