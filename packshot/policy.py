"""The routing policy as a file: TOML, checked with sentences, read anew when it changes.

    version = "2026-12"

    [thresholds]                      # under these a field goes to a person
    text = 0.85
    brand = 0.6

    [reasons]                         # rules that are reasons, or are not
    several_subjects = false

    [audit]
    rate = 0.02                       # of what would be accepted

    [due]                             # how long a person may take
    live = "5m"
    bulk = "24h"

    [producer]                        # whose wishes count: sources, "*" is everybody
    always = ["*"]
    never = ["listing-service"]
    overrules_never = ["blank"]       # reasons that go to a person although the producer said never

    [people]
    bulk_accept = "reviewer"          # the least role that may accept many items at once

    [[special]]                       # what is other for a source, a category, or both
    source = "live-shop"
    category = 504
    thresholds = { text = 0.95 }
    audit_rate = 0.1
    reasons = { blurred = false }

What the file leaves out is as in the settings.
"""

import hashlib
import logging
import re
import threading
import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from packshot.contract import Lane
from packshot.errors import ConfigurationError
from packshot.results import Unit
from packshot.routing import NO_TEXT, REVIEW_SIGNALS, Policy, Special

log = logging.getLogger(__name__)

#: Fields that have a confidence.
FIELDS = ("text", "category", "brand", "model", "matte")
#: Characters of the content's hash in a version.
HASH_CHARS = 8
#: Longest declared version: with the hash it fits the ledger's column.
VERSION_CHARS = 48

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_EVERYBODY = "*"


def _duration(value: Any) -> Any:
    found = re.fullmatch(r"(\d+)([smhd])", value) if isinstance(value, str) else None
    if not found:
        raise ValueError("write a time as '30s', '5m', '24h' or '2d'")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _code(value: Any) -> Any:
    known = REVIEW_SIGNALS | {NO_TEXT}
    if value not in known:
        raise ValueError(f"there is no such reason; there are {', '.join(sorted(known))}")
    return value


def _field(value: Any) -> Any:
    if value not in FIELDS:
        raise ValueError(f"there is no such field; there are {', '.join(FIELDS)}")
    return value


_Field = Annotated[str, BeforeValidator(_field)]
_Code = Annotated[str, BeforeValidator(_code)]
_Duration = Annotated[timedelta, BeforeValidator(_duration)]
_Sources = tuple[str, ...]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class _Audit(_Table):
    rate: Unit


class _Producer(_Table):
    always: _Sources = (_EVERYBODY,)
    never: _Sources = (_EVERYBODY,)
    overrules_never: tuple[_Code, ...] = ()


class _People(_Table):
    bulk_accept: Literal["reviewer", "lead"] = "reviewer"


class _Special(_Table):
    source: str | None = None
    category: Annotated[int, Field(ge=0)] | None = None
    thresholds: dict[_Field, Unit] = {}
    audit_rate: Unit | None = None
    reasons: dict[_Code, bool] = {}

    @model_validator(mode="after")
    def _names_something(self) -> "_Special":
        if self.source is None and self.category is None:
            raise ValueError("name a source, a category, or both")
        return self


class _File(_Table):
    version: Annotated[str, Field(min_length=1, max_length=VERSION_CHARS, pattern=r"^[\w.-]+$")]
    thresholds: dict[_Field, Unit] = {}
    reasons: dict[_Code, bool] = {}
    audit: _Audit | None = None
    due: dict[Lane, _Duration] = {}
    producer: _Producer = _Producer()
    people: _People = _People()
    special: tuple[_Special, ...] = ()


def parse(text: str, base: Policy | None = None) -> Policy:
    """Read a policy; what it leaves out is as in `base`.

    Raises `ConfigurationError` that names every wrong place.
    """
    base = base or Policy()
    try:
        found = _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"The policy is not TOML: {error}.") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: "
            f"{one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_url=False, include_input=False)
        )
        raise ConfigurationError(f"The policy is wrong. {wrong}.") from error
    return replace(
        base,
        version=f"{found.version}+{_hash(text)}",
        thresholds={**base.thresholds, **found.thresholds},
        audit_rate=found.audit.rate if found.audit else base.audit_rate,
        signals=_switched(base.signals, found.reasons),
        always_from=_sources(found.producer.always),
        never_from=_sources(found.producer.never),
        overrules_never=frozenset(found.producer.overrules_never),
        due={**base.due, **found.due},
        bulk_accept=found.people.bulk_accept,
        specials=tuple(
            Special(one.source, one.category, one.thresholds, one.audit_rate, one.reasons)
            for one in found.special
        ),
    )


def declared(policy: Policy) -> Policy:
    """The policy of the settings, with a version that changes when they do."""
    content = repr((sorted(policy.thresholds.items()), policy.audit_rate))
    return replace(policy, version=f"{policy.version}+{_hash(content)}")


class PolicyFile:
    """A policy that follows its file: a look at the file per job, a read when it has changed.

    A file that has become wrong or has gone changes nothing: the last good policy holds, and the
    log says so once per change. Thread-safe.
    """

    def __init__(self, path: Path, base: Policy) -> None:
        """Read the file. Raises `ConfigurationError`: a process does not start with a wrong one."""
        self._path = path
        self._base = base
        self._lock = threading.Lock()
        self._seen = self._look()
        self._policy = self._read()

    def current(self) -> Policy:
        """The policy as the file says it now."""
        with self._lock:
            seen = self._look()
            if seen != self._seen:
                self._seen = seen
                try:
                    self._policy = self._read()
                except ConfigurationError as error:
                    log.error("policy %s goes on: %s", self._policy.version, error)  # noqa: TRY400 - the sentence says it
                else:
                    log.info("policy %s holds from now on", self._policy.version)
            return self._policy

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> Policy:
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"The policy {self._path} cannot be read: {error}.") from error
        return parse(text, self._base)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_CHARS]


def _switched(signals: frozenset[str], reasons: dict[str, bool]) -> frozenset[str]:
    return (signals - reasons.keys()) | {code for code, wanted in reasons.items() if wanted}


def _sources(names: _Sources) -> frozenset[str] | None:
    return None if _EVERYBODY in names else frozenset(names)
