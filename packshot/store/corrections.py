"""What a correction means for a job's steps: which of them obey it, and which follow from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from packshot.contract import Step
from packshot.errors import InvalidDecision
from packshot.store.review_items import Correction

#: The step whose result a field belongs to.
STEP_OF: Mapping[str, Step] = {
    "text": Step.OCR,
    "category": Step.RECOGNITION,
    "brand": Step.RECOGNITION,
    "model": Step.RECOGNITION,
    "matte": Step.MATTING,
}
#: Steps that are computed again because a field before them has changed.
FOLLOWS: Mapping[str, Step] = {"text": Step.RECOGNITION}


def by_step(correction: Correction, chain: Sequence[Step]) -> dict[Step, dict[str, Any]]:
    """The corrected fields of each step, as JSON, in the order of the chain.

    Raises `InvalidDecision` for a field of a step that the job leaves out.
    """
    given = correction.given()
    found: dict[Step, dict[str, Any]] = {}
    for name, value in given.items():
        step = STEP_OF[name]
        if step not in chain:
            raise InvalidDecision(f"The job leaves {step} out: there is no {name} to correct.")
        if value is None and name in {"text", "category", "matte"}:
            raise InvalidDecision(f"Correct the {name} or leave it out: it cannot be nothing.")
        found.setdefault(step, {})[name] = value
    return {step: found[step] for step in chain if step in found}


def following(correction: Correction, chain: Sequence[Step]) -> frozenset[Step]:
    """The steps that have to be computed again, since what they build on was corrected."""
    steps = (FOLLOWS[name] for name in correction.fields if name in FOLLOWS)
    return frozenset(step for step in steps if step in chain)


def said_before(result: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """What the result says of `fields`: what was wrong, for the training data and the audit log."""
    recognition = result.get("recognition") or {}
    values = {
        "text": lambda: (result.get("text") or {}).get("lines"),
        "category": lambda: next(iter(recognition.get("categories", ())), None),
        "brand": lambda: recognition.get("brand"),
        "model": lambda: recognition.get("model"),
        "matte": lambda: (result.get("matte") or {}).get("alpha_key"),
    }
    return {name: values[name]() for name in fields}
