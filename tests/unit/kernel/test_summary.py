"""The result document and its short form for events."""

import json

import pytest

from packshot import __version__
from packshot.events import ResultData
from packshot.results import (
    Category,
    Finding,
    Finished,
    Matte,
    ModelInfo,
    Picture,
    Prepared,
    Quality,
    Recognition,
    Signal,
    TextLine,
    TextResult,
)
from packshot.routing import Evidence, Route
from packshot.summary import PIPELINE, document, event_data

READER = ModelInfo(name="reader", version="1", sha256="a" * 64, licence="Apache-2.0")
MATTER = ModelInfo(name="matter", version="2", sha256="b" * 64, licence="MIT")
PREPARED = Prepared(
    sha256="0" * 64,
    phash="f" * 16,
    original_key="originals/00/0.jpg",
    work_key="work/0/image.png",
    filename="tea.jpg",
    format="jpeg",
    bytes=10,
    width=640,
    height=480,
    quality=Quality(
        sharpness=200.0, exposure=0.5, clipped_dark=0.0, clipped_light=0.0, megapixels=0.3
    ),
)
TEXT = TextResult(
    lines=(
        TextLine(
            polygon=((0, 0), (1, 0), (1, 1), (0, 1)),
            text="旺旺",
            score=0.9,
            probability=0.9,
            script="chinese",
        ),
    ),
    confidence=0.9,
    models=(READER,),
)
RECOGNITION = Recognition(
    categories=(
        Category(id=1, en="tea", zh="茶", probability=0.8, product=True),
        Category(id=2, en="cup", zh="杯", probability=0.1, product=True),
    ),
    embedding="AAAA",
    colours=(),
    brand=Finding(value="Want Want", confidence=0.9, rule="lexicon"),
    model=None,
    confidence=0.8,
)
MATTE = Matte(
    alpha_key="work/0/m.png",
    cutout_key="work/0/c.png",
    coverage=0.4,
    uncertain=0.01,
    box=None,
    subjects=1,
    touches=(),
    confidence=0.95,
    models=(MATTER,),
)
PICTURE = Picture(
    name="cutout",
    key="outputs/a_matte.png",
    format="png",
    width=640,
    height=480,
    bytes=99,
    sha256="c" * 64,
)
FULL = Evidence(PREPARED, TEXT, RECOGNITION, MATTE)
REASON = Signal(code="text_unsure", field="text", message="Unsure.", value=0.1, threshold=0.85)
ROUTE = Route("review", (REASON,), 0.1, None)


def test_the_document_holds_everything_with_its_origin() -> None:
    whole = document(FULL, Finished(pictures=(PICTURE,), route="review"), ROUTE)
    assert list(whole) == [
        "photo", "text", "recognition", "matte", "pictures", "route", "confidence", "provenance",
    ]  # fmt: skip
    assert whole["provenance"]["pipeline"] == PIPELINE == f"packshot-{__version__}"
    assert [one["name"] for one in whole["provenance"]["models"]] == ["reader", "matter"]
    assert whole["recognition"]["embedding"] == "AAAA"
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
    assert Prepared.model_validate(whole["photo"]) == PREPARED


def test_the_document_leaves_out_what_was_not_done() -> None:
    bare = document(
        Evidence(PREPARED),
        Finished(pictures=(), route="accepted"),
        Route("accepted", (), None, 0.0),
    )
    assert not {"text", "recognition", "matte"} & set(bare)
    assert bare["provenance"]["models"] == []


def test_the_short_form_has_what_a_listing_needs() -> None:
    data = event_data(FULL, [PICTURE], ROUTE)
    assert data == {
        "status": "review",
        "confidence": 0.1,
        "pictures": [
            {
                "name": "cutout",
                "key": "outputs/a_matte.png",
                "format": "png",
                "width": 640,
                "height": 480,
            }
        ],
        "reasons": [
            {
                "code": "text_unsure",
                "field": "text",
                "message": "Unsure.",
                "value": 0.1,
                "threshold": 0.85,
            }
        ],
        "text": ["旺旺"],
        "category": {"id": 1, "en": "tea", "zh": "茶", "probability": 0.8, "product": True},
        "brand": "Want Want",
        "model": None,
    }


@pytest.mark.parametrize(
    ("found", "fields"),
    [
        pytest.param(Evidence(PREPARED), set(), id="nothing"),
        pytest.param(Evidence(PREPARED, text=TEXT), {"text"}, id="text"),
        pytest.param(
            Evidence(PREPARED, recognition=RECOGNITION),
            {"category", "brand", "model"},
            id="category",
        ),
        pytest.param(Evidence(PREPARED, matte=MATTE), set(), id="matte"),
        pytest.param(FULL, {"text", "category", "brand", "model"}, id="all"),
    ],
)
def test_the_short_form_is_the_data_of_an_event(found: Evidence, fields: set[str]) -> None:
    data = event_data(found, [], ROUTE)
    assert set(data) - {"status", "confidence", "pictures", "reasons"} == fields
    head = {"id": "01a207d6-b2ce-73bb-8ec3-033f67f4f60a", "source": "s", "job_id": "1", "sku": ""}
    ResultData.model_validate({**head, **data, "metadata": {}})
