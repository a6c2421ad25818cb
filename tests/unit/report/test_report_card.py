"""What a card says about one job."""

import pytest

from packshot.errors import ConfigurationError
from packshot.results import Signal
from packshot.routing import Policy
from packshot.store.views import JobView
from tests.unit.report import report_jobs as made
from workers.report.card import Card, make_card
from workers.report.evidence import Evidence, evidence, file_name
from workers.report.overlay import overlay
from workers.report.pictures import sizes_for
from workers.report.timings import timings


def _card(job: JobView) -> Card:
    return make_card(1, job, made.blobs(), sizes=sizes_for(1), thresholds=Policy().thresholds)


def _known(job: JobView) -> Evidence:
    return evidence(job)


def test_a_failed_job_shows_what_its_finished_steps_found() -> None:
    prepared = made.evidence("half.jpg", None, None).prepared
    job = made.job_view(
        "half.jpg",
        status="failed",
        code="model_failure",
        message="The reader failed.",
        steps=(
            made.step("prepare", result=prepared.model_dump(mode="json")),
            made.step("ocr", status="failed"),
        ),
    )
    card = _card(job)
    assert card.original is not None
    assert card.failure is not None
    assert (card.failure.code, card.failure.step) == ("model_failure", "ocr")
    assert card.headline == "Model failure"


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("/photos/a b.jpg", "a b.jpg"),
        ("C:\\photos\\milk.jpg", "milk.jpg"),
        ("s3://uploads/2026/%E7%89%9B%E5%A5%B6.jpg", "牛奶.jpg"),
        ("https://shop.example/p/1.png?size=2#x", "1.png"),
        ("data:image/png;base64,AAAA", "one"),
    ],
    ids=["path", "windows path", "percent", "query", "data"],
)
def test_the_name_of_a_photo_that_was_never_read(uri: str, name: str) -> None:
    job = made.failed_job()
    request = job.request.model_copy(
        update={"image": job.request.image.model_copy(update={"uri": uri})}
    )
    assert file_name(job.model_copy(update={"request": request}), None) == name


def test_a_result_of_another_version_is_named() -> None:
    job = made.finished_job()
    broken = job.model_copy(update={"result": {**(job.result or {}), "photo": {"width": 3}}})
    with pytest.raises(ConfigurationError, match="another version"):
        evidence(broken)


@pytest.mark.parametrize(
    ("brand", "confidence", "headline"),
    [("Acme", 0.1, "Acme"), (None, 0.9, "carton"), (None, 0.1, "carton?")],
    ids=["brand", "category", "unsure category"],
)
def test_headline(brand: str | None, confidence: float, headline: str) -> None:
    seen = made.recognition(brand, confidence=confidence)
    assert _card(made.finished_job(seen=seen)).headline == headline


def test_a_finding_names_its_lines() -> None:
    card = _card(made.finished_job())
    assert card.findings[0].lines == ((1, "ACME"),)


def test_search_knows_text_in_one_form() -> None:
    job = made.finished_job(found=made.text("ＡＣＭＥ Ｍｉｌｋ", "纯牛奶"))
    assert "acme milk" in _card(job).search
    assert all(word in _card(job).search for word in ("纯牛奶", "纸盒", "carton", "蓝色"))


def test_a_reason_is_not_said_twice() -> None:
    said = Signal(code="unsupported_script", message="There is Thai on it.")
    other = Signal(code="unsupported_script", message="There is Lao on it.")
    found = made.text("x").model_copy(update={"signals": (said, other)})
    assert _card(made.finished_job(found=found, reasons=(said,))).notes["text"] == (other,)


def test_a_sku_that_only_repeats_the_name_is_left_out() -> None:
    assert _card(made.finished_job("milk.jpg", sku="milk")).sku == ""
    assert _card(made.finished_job("milk.jpg", sku="A1")).sku == "A1"


def test_confidences_know_their_thresholds() -> None:
    job = made.finished_job(found=made.text("x", probability=0.3))
    shown = {one.name: one.enough for one in _card(job).confidences}
    assert shown == {"Text": False, "Category": True, "Cut-out": True}


def test_box_numbers_stay_inside_the_photo() -> None:
    known = _known(made.finished_job(found=made.text(*"abcdefgh")))
    drawn = overlay(known, 0.85)
    assert drawn is not None
    assert [box.number for box in drawn.boxes] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert all(0 < box.x < made.WIDTH and 0 < box.y < made.HEIGHT for box in drawn.boxes)
    assert drawn.boxes[0].points == "30,40 200,40 200,70 30,70"


@pytest.mark.parametrize(
    ("probability", "sure"), [(0.86, True), (0.84, False)], ids=["sure", "unsure"]
)
def test_unsure_lines_are_marked(probability: float, *, sure: bool) -> None:
    known = _known(made.finished_job(found=made.text("x", probability=probability)))
    drawn = overlay(known, 0.85)
    assert drawn is not None
    assert drawn.boxes[0].sure is sure


def test_no_lines_no_overlay() -> None:
    assert overlay(_known(made.finished_job(found=made.text())), 0.85) is None


def test_the_parts_of_the_time_fill_the_bar() -> None:
    parts = timings(
        (
            made.step("prepare", seconds=1.0),
            made.step("ocr", seconds=3.0),
            made.step("matting", status="pending"),
        )
    )
    assert [(one.start, one.share) for one in parts] == [(0.0, 25.0), (25.0, 75.0)]
    assert [one.name for one in parts] == ["Prepare", "Read text"]
