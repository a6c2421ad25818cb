"""Where a finished job goes: accepted, or to a person, with reasons as data."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal, Protocol
from uuid import UUID

from packshot.contract import Job, Lane, Step
from packshot.results import Finding, Matte, Prepared, Recognition, Signal, TextResult

#: The rule that text was expected.
NO_TEXT = "no_text"
#: Why a job without any other reason goes to a person.
AUDIT = Signal(code="audit", message="Picked at random, so that the true error rate is known.")

#: Signals that a person has to look at; the others are notes in the result.
REVIEW_SIGNALS = frozenset(
    {
        "blurred",
        "blank",
        "empty_matte",
        "full_matte",
        "subject_cropped",
        "several_subjects",
        "unsupported_script",
    }
)


#: How long a person may take, by lane, where the policy says nothing.
DUE: Mapping[Lane, timedelta] = {Lane.LIVE: timedelta(minutes=5), Lane.BULK: timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Special:
    """What is other for one source, one category, or one category of one source."""

    source: str | None = None
    category: int | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    audit_rate: float | None = None
    reasons: Mapping[str, bool] = field(default_factory=dict)

    def fits(self, source: str, category: int | None) -> bool:
        """Whether it is about a job of this source and category."""
        return self.source in (None, source) and self.category in (None, category)


@dataclass(frozen=True, slots=True)
class Policy:
    """What goes to a person. `version` is recorded with each decision.

    `thresholds` are per field; `signals` the rules that are reasons. The producer's `always` and
    `never` count for the named sources, `None` means all of them; a signal in `overrules_never`
    goes to a person all the same. `specials` apply in their order, the later one wins.
    """

    version: str = "default-1"
    thresholds: Mapping[str, float] = field(
        default_factory=lambda: {"text": 0.85, "category": 0.5, "matte": 0.85}
    )
    audit_rate: float = 0.01
    signals: frozenset[str] = REVIEW_SIGNALS | {NO_TEXT}
    always_from: frozenset[str] | None = None
    never_from: frozenset[str] | None = None
    overrules_never: frozenset[str] = frozenset()
    due: Mapping[Lane, timedelta] = field(default_factory=lambda: DUE)
    #: The least role that may accept many items at once.
    bulk_accept: str = "reviewer"
    specials: tuple[Special, ...] = ()

    def current(self) -> "Policy":
        """Itself: a policy that is not read from a file does not change."""
        return self

    def of(self, source: str, category: int | None) -> "Policy":
        """The policy for one job, with everything special applied."""
        found = self
        for special in self.specials:
            if special.fits(source, category):
                on = {code for code, wanted in special.reasons.items() if wanted}
                found = replace(
                    found,
                    thresholds={**found.thresholds, **special.thresholds},
                    audit_rate=found.audit_rate
                    if special.audit_rate is None
                    else special.audit_rate,
                    signals=(found.signals - special.reasons.keys()) | on,
                )
        return found


class PolicySource(Protocol):
    """Where the policy comes from: it may change between two jobs."""

    def current(self) -> Policy:
        """The policy as it is now."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the steps found out; None where the producer left a step out."""

    prepared: Prepared
    text: TextResult | None = None
    recognition: Recognition | None = None
    matte: Matte | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """The decision. `confidence` is the least confident field's, `audit` the sampling chance.

    `policy` is the version that decided, `due_in` how long a person may take.
    """

    to: Literal["accepted", "review"]
    reasons: tuple[Signal, ...]
    confidence: float | None
    audit: float | None
    policy: str | None = None
    due_in: timedelta = DUE[Lane.BULK]


def decide(job_id: UUID, job: Job, found: Evidence, policy: Policy) -> Route:
    """Route a job; the audit sample is drawn from its id, so that a repeat decides the same."""
    policy = policy.of(job.source, _category(found))
    confidences = dict(_confidences(found, policy))
    reasons = (*_rules(job, found, policy), *_doubts(confidences, policy))
    to_person, audit = bool(reasons), None
    if job.review == "always" and _counts(job.source, policy.always_from):
        asked = Signal(code="requested", message="The producer asked for a review.")
        reasons, to_person = (*reasons, asked), True
    elif job.review == "never" and _counts(job.source, policy.never_from):
        to_person = any(reason.code in policy.overrules_never for reason in reasons)
    elif not reasons:
        audit = policy.audit_rate
        if _draw(job_id) < audit:
            reasons, to_person = (AUDIT,), True
    return Route(
        "review" if to_person else "accepted",
        reasons,
        min(confidences.values(), default=None),
        audit,
        policy.version,
        policy.due.get(job.lane, DUE[job.lane]),
    )


def _counts(source: str, sources: frozenset[str] | None) -> bool:
    return sources is None or source in sources


def _category(found: Evidence) -> int | None:
    categories = found.recognition.categories if found.recognition else ()
    return categories[0].id if categories else None


def _confidences(found: Evidence, policy: Policy) -> Iterator[tuple[str, float]]:
    if found.text and found.text.confidence is not None:
        yield "text", found.text.confidence
    if found.recognition:
        yield "category", found.recognition.confidence
        for name in ("brand", "model"):
            finding: Finding | None = getattr(found.recognition, name)
            if finding and name in policy.thresholds:
                yield name, finding.confidence
    if found.matte:
        yield "matte", found.matte.confidence


def _doubts(confidences: Mapping[str, float], policy: Policy) -> Iterator[Signal]:
    for name, confidence in confidences.items():
        threshold = policy.thresholds.get(name, 0.0)
        if confidence < threshold:
            yield Signal(
                code=f"{name}_unsure",
                field=name,
                message=f"The {name} is only {confidence:.0%} certain.",
                value=round(confidence, 4),
                threshold=threshold,
            )


def _rules(job: Job, found: Evidence, policy: Policy) -> Iterator[Signal]:
    for part in (found.prepared.quality, found.text, found.recognition, found.matte):
        if part:
            yield from (one for one in part.signals if one.code in policy.signals)
    wanted = job.expect_text and Step.OCR in job.steps and NO_TEXT in policy.signals
    if wanted and found.text and not found.text.lines:
        yield Signal(code=NO_TEXT, field="text", message="Text was expected, but none was found.")


def _draw(job_id: UUID) -> float:
    """A number in [0, 1) that belongs to the job for ever."""
    return int.from_bytes(hashlib.sha256(job_id.bytes).digest()[:8]) / 2**64
