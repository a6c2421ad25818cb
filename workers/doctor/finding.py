"""What a check finds out."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from packshot.settings import Settings
from workers.roles import Role


class Level(StrEnum):
    """How bad it is. Only an error fails the examination."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one part, and what to do about it; nothing to do where all is well."""

    level: Level
    sentence: str
    advice: str = ""
    part: str = ""

    def as_json(self) -> dict[str, str]:
        """For programs."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined: an installation, seen from a machine that serves `role`."""

    settings: Settings
    role: Role

    @property
    def embedded(self) -> bool:
        """Whether nothing points at a server: the embedded run, which needs none."""
        servers = {"broker_url", "database_url", "blobs"}
        return not servers & self.settings.model_fields_set


#: Finds out about one part. It may raise errors of ours: they become findings.
Check = Callable[[Subject], Iterator[Finding]]


def ok(sentence: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, sentence)


def warning(sentence: str, advice: str) -> Finding:
    """It works, but not as well or as safely as it should."""
    return Finding(Level.WARNING, sentence, advice)


def error(sentence: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(Level.ERROR, sentence, advice)
