"""The result of a job as one JSON document, and its short form for events."""

from collections.abc import Sequence
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
    data: dict[str, Any] = {
        "status": route.to,
        "confidence": route.confidence,
        "pictures": [
            one.model_dump(mode="json", include={"name", "key", "format", "width", "height"})
            for one in pictures
        ],
        "reasons": [one.model_dump(mode="json", exclude_none=True) for one in route.reasons],
    }
    if found.text:
        data["text"] = [line.text for line in found.text.lines]
    if found.recognition:
        top = found.recognition.categories[0]
        data["category"] = top.model_dump(mode="json")
        for name, finding in (
            ("brand", found.recognition.brand),
            ("model", found.recognition.model),
        ):
            data[name] = finding.value if finding else None
    return data


def _models(found: Evidence) -> list[ModelInfo]:
    parts = (found.text, found.recognition, found.matte)
    return [model for part in parts if part for model in part.models]
