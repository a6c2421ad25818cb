"""Where a finished job goes: accepted, or to a person, with reasons as data."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from packshot.contract import Job, Step
from packshot.results import Matte, Prepared, Recognition, Signal, TextResult

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


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds per field and the audit sample. `version` is recorded with each decision."""

    version: str = "default-1"
    thresholds: Mapping[str, float] = field(
        default_factory=lambda: {"text": 0.85, "category": 0.5, "matte": 0.85}
    )
    audit_rate: float = 0.01


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the steps found out; None where the producer left a step out."""

    prepared: Prepared
    text: TextResult | None = None
    recognition: Recognition | None = None
    matte: Matte | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """The decision. `confidence` is the least confident field's, `audit` the sampling chance."""

    to: Literal["accepted", "review"]
    reasons: tuple[Signal, ...]
    confidence: float | None
    audit: float | None


def decide(job_id: UUID, job: Job, found: Evidence, policy: Policy) -> Route:
    """Route a job; the audit sample is drawn from its id, so that a repeat decides the same."""
    confidences = dict(_confidences(found))
    lowest = min(confidences.values(), default=None)
    reasons = (*_rules(job, found), *_doubts(confidences, policy))
    if job.review == "always":
        reasons = (*reasons, Signal(code="requested", message="The producer asked for a review."))
    if job.review == "never":
        return Route("accepted", reasons, lowest, None)
    if reasons:
        return Route("review", reasons, lowest, None)
    if _draw(job_id) < policy.audit_rate:
        audit = Signal(
            code="audit", message="Picked at random, so that the true error rate is known."
        )
        return Route("review", (audit,), lowest, policy.audit_rate)
    return Route("accepted", (), lowest, policy.audit_rate)


def _confidences(found: Evidence) -> Iterator[tuple[str, float]]:
    if found.text and found.text.confidence is not None:
        yield "text", found.text.confidence
    if found.recognition:
        yield "category", found.recognition.confidence
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


def _rules(job: Job, found: Evidence) -> Iterator[Signal]:
    for part in (found.prepared.quality, found.text, found.recognition, found.matte):
        if part:
            yield from (one for one in part.signals if one.code in REVIEW_SIGNALS)
    if job.expect_text and Step.OCR in job.steps and found.text and not found.text.lines:
        yield Signal(code="no_text", field="text", message="Text was expected, but none was found.")


def _draw(job_id: UUID) -> float:
    """A number in [0, 1) that belongs to the job for ever."""
    return int.from_bytes(hashlib.sha256(job_id.bytes).digest()[:8]) / 2**64
