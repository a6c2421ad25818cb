"""What is true of a whole run and of no single photo."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from packshot import __version__
from packshot.results import ModelInfo
from packshot.routing import Policy


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run.

    Attributes:
        started: when it began, with a time zone.
        seconds: wall clock of the whole run.
        photos: how many it was given.
        peak_memory_mib: most memory that the process held, mebibytes; None where unknown.
        version: the version of Packshot.
        models: weights that were loaded; those named in the results are added.
        thresholds: confidence under which a field goes to review, by field; in [0, 1].
    """

    started: datetime
    seconds: float
    photos: int
    peak_memory_mib: float | None = None
    version: str = __version__
    models: tuple[ModelInfo, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=lambda: Policy().thresholds)

    @property
    def seconds_per_photo(self) -> float | None:
        """Wall clock per photo, seconds; None for a run without photos."""
        return self.seconds / self.photos if self.photos else None
