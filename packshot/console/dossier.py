"""An item and its job, put together for one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packshot.results import Finding, Matte, Picture, Prepared, Recognition, Signal, TextResult
from packshot.store.review_items import Item
from packshot.store.views import ArtifactView, JobView

#: The artifact that a person's matte is kept under.
EDITED_MATTE = "matte_edit"


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure a field is, and the threshold it missed where it did."""

    field: str
    value: float
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history. `who` is a person's id where a person did it."""

    at: datetime
    what: str
    who: Any = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Dossier:
    """What the steps found; parts are None where a step was left out."""

    job: JobView
    photo: Prepared | None
    text: TextResult | None
    recognition: Recognition | None
    matte: Matte | None
    pictures: tuple[Picture, ...]
    confidences: tuple[Confidence, ...]
    history: tuple[Event, ...]

    @classmethod
    def of(cls, item: Item, job: JobView, items: Sequence[Item]) -> "Dossier":
        """Read the newest result of each step."""
        parts = {step.name: step.result for step in job.steps if step.result}
        text = _read(TextResult, parts.get("ocr"))
        recognition = _read(Recognition, parts.get("recognition"))
        matte = _read(Matte, parts.get("matting"))
        finished = parts.get("finish") or {}
        return cls(
            job=job,
            photo=_read(Prepared, parts.get("prepare")),
            text=text,
            recognition=recognition,
            matte=matte,
            pictures=tuple(Picture.model_validate(one) for one in finished.get("pictures", ())),
            confidences=tuple(_confidences(item.reasons, text, recognition, matte)),
            history=_history(job, items),
        )

    @property
    def edited(self) -> ArtifactView | None:
        """The newest matte that a person has painted, where there is one."""
        edits = [one for one in self.job.artifacts if one.name == EDITED_MATTE]
        return max(edits, key=lambda one: one.version, default=None)

    def finding(self, name: str) -> Finding | None:
        """Brand or model."""
        found: Finding | None = getattr(self.recognition, name) if self.recognition else None
        return found

    def lines_data(self) -> list[dict[str, Any]]:
        """The lines of text as the page's script sends them back."""
        lines = self.text.lines if self.text else ()
        return [
            one.model_dump(mode="json", include={"polygon", "text", "script", "vertical"})
            for one in lines
        ]

    def guesses_data(self) -> list[dict[str, Any]]:
        """The classifier's guesses as the picker offers them."""
        guesses = self.recognition.categories if self.recognition else ()
        return [one.model_dump(mode="json") for one in guesses]


def _read(kind: Any, found: dict[str, Any] | None) -> Any:
    return kind.model_validate(found) if found else None


def _confidences(
    reasons: Sequence[Signal],
    text: TextResult | None,
    recognition: Recognition | None,
    matte: Matte | None,
) -> list[Confidence]:
    missed = {one.field: one.threshold for one in reasons if one.field and one.threshold}
    values = (
        ("text", text.confidence if text else None),
        ("category", recognition.confidence if recognition else None),
        ("matte", matte.confidence if matte else None),
    )
    return [
        Confidence(name, value, missed.get(name)) for name, value in values if value is not None
    ]


def _history(job: JobView, items: Sequence[Item]) -> tuple[Event, ...]:
    events = [Event(job.created_at, "received")]
    for step in job.steps:
        if step.finished_at:
            detail = f"{step.seconds:.2f} s" if step.seconds is not None else ""
            events.append(Event(step.finished_at, f"step.{step.name}", detail=detail))
    for one in items:
        events.append(Event(one.created_at, "queued"))
        if one.decided_at and one.decision:
            said = str(one.decision.get("decision", "approved"))
            note = str(one.decision.get("note", ""))
            events.append(Event(one.decided_at, f"decided.{said}", one.decided_by, note))
    return tuple(sorted(events, key=lambda event: event.at, reverse=True))
