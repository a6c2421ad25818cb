"""The result of a job as one JSON document, and its short form for events."""

from collections.abc import Mapping, Sequence
from typing import Any

from packshot import __version__
from packshot.results import Finished, ModelInfo, Picture
from packshot.routing import Evidence, Route

#: Changes whenever the same photo could come out differently; part of every input key.
PIPELINE = f"packshot-{__version__}"


def document(found: Evidence, finished: Finished, route: Route) -> dict[str, Any]:
    """Everything that the steps found, with provenance: goes into the job's row."""
    parts = {
        "photo": found.prepared,
        "text": found.text,
        "recognition": found.recognition,
        "matte": found.matte,
    }
    return {
        **{name: part.model_dump(mode="json") for name, part in parts.items() if part},
        "pictures": [picture.model_dump(mode="json") for picture in finished.pictures],
        "route": route.to,
        "confidence": route.confidence,
        "provenance": {
            "pipeline": PIPELINE,
            "models": [one.model_dump() for one in _models(found)],
        },
    }


def event_data(found: Evidence, pictures: Sequence[Picture], route: Route) -> dict[str, Any]:
    """The short form: what a listing service needs, without polygons and embeddings."""
    whole = document(found, Finished(pictures=tuple(pictures), route=route.to), route)
    reasons = [one.model_dump(mode="json", exclude_none=True) for one in route.reasons]
    return {"status": route.to, **_short(whole), "reasons": reasons}


def reviewed_document(whole: Mapping[str, Any], review: Mapping[str, Any]) -> dict[str, Any]:
    """A result with a person's decision: corrected fields are marked `human` in its provenance."""
    head = {name: review[name] for name in ("id", "decision", "reviewer")}
    provenance = {**whole.get("provenance", {}), "human": review["corrected"], "review": head}
    return {**whole, "route": review["status"], "provenance": provenance}


def reviewed_data(whole: Mapping[str, Any], review: Mapping[str, Any]) -> dict[str, Any]:
    """What `job.reviewed` carries: the decision and the short form of the result as it is now."""
    head = {"review" if name == "id" else name: value for name, value in review.items()}
    return {**head, **_short(whole)}


def _short(whole: Mapping[str, Any]) -> dict[str, Any]:
    wanted = ("name", "key", "format", "width", "height")
    short: dict[str, Any] = {
        "confidence": whole.get("confidence"),
        "pictures": [{name: one[name] for name in wanted} for one in whole.get("pictures", ())],
    }
    if text := whole.get("text"):
        short["text"] = [line["text"] for line in text["lines"]]
    if found := whole.get("recognition"):
        short["category"] = found["categories"][0]
        for name in ("brand", "model"):
            short[name] = found[name]["value"] if found[name] else None
    return short


def _models(found: Evidence) -> list[ModelInfo]:
    parts = (found.text, found.recognition, found.matte)
    return [model for part in parts if part for model in part.models]
