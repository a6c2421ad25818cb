"""A correction goes through the stages again, from the corrected step on: all pictures anew."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from packshot.contract import Event, Job, Lane, Step
from packshot.errors import AlreadyDecided, BrokerUnavailable, CorruptImage, InvalidDecision
from packshot.events import ReviewedData, data_of
from packshot.imaging.encode import encode_grey
from packshot.imaging.stored import load_rgba
from packshot.results import TextResult
from packshot.store.persons import Person
from packshot.store.review_items import (
    CorrectedLine,
    Correction,
    Decided,
    Decision,
    Hold,
    PickedCategory,
    Restart,
    Ruling,
)
from packshot.store.tickets import Artifact, Verdict
from packshot.store.views import JobView
from tasks import workflow
from tests.support.review_bench import ReviewBench

CORNERS = ((1.0, 1.0), (50.0, 1.0), (50.0, 20.0), (1.0, 20.0))
LINES = (
    CorrectedLine(polygon=CORNERS, text="Oolong 乌龙茶", script="mixed"),
    CorrectedLine(polygon=CORNERS, text="100 g", script="latin"),
)
TEA = PickedCategory(id=9, en="tea", zh="茶", product=True)
#: Longer than the reconciler waits.
PATIENCE = timedelta(minutes=2)


@pytest.fixture
def photo(bench: ReviewBench, tmp_path: Path) -> JobView:
    """A job that went through every stage and waits for a person."""
    view = bench.photographed(tmp_path / "oolong.png")
    bench.events()
    return view


@pytest.fixture
def ann(bench: ReviewBench) -> Person:
    return bench.person()


def correct(bench: ReviewBench, hold: Hold, ann: Person, **fields: Any) -> Decided:
    ruling = Ruling(decision=Decision.CORRECTED, correction=Correction(**fields))
    return bench.reviews.decide(hold, ruling, ann)


def restart_of(decided: Decided) -> Restart:
    assert decided.restart is not None
    return decided.restart


def result(bench: ReviewBench, view: JobView) -> dict[str, Any]:
    found = bench.views.by_id(view.id).result
    assert found is not None
    return found


def keys(view: JobView, name: str) -> list[str]:
    return [one.key for one in view.artifacts if one.name == name]


def drawn(bench: ReviewBench, hold: Hold, shape: tuple[int, int]) -> str:
    """A matte that a person drew: the upper half."""
    alpha = np.zeros(shape, np.uint8)
    alpha[: shape[0] // 2] = 255
    data = encode_grey(alpha)
    key = f"work/edit-{shape[0]}.png"
    bench.blobs.put(key, data, "image/png")
    bench.reviews.keep_matte(hold, Artifact("matte_edit", key, "image/png", len(data), "0" * 64))
    return key


def test_corrected_text_is_taken_and_brand_and_model_follow_from_it(
    bench: ReviewBench, photo: JobView, ann: Person
) -> None:
    restart = restart_of(correct(bench, bench.held(ann, photo.id), ann, text=LINES))
    assert (restart.id, restart.step) == (photo.id, Step.OCR)
    assert bench.views.by_id(photo.id).status == "running"
    assert bench.events() == [], "the event waits for the pictures"
    bench.run(restart)
    view = bench.views.by_id(photo.id)
    assert view.status == "accepted"
    whole = result(bench, photo)
    assert [line["text"] for line in whole["text"]["lines"]] == ["Oolong 乌龙茶", "100 g"]
    assert whole["recognition"]["brand"]["value"] == "Oolong 乌龙茶", (
        "the fake reads the first line"
    )
    assert whole["provenance"]["human"] == ["text"]
    assert whole["provenance"]["review"]["reviewer"] == str(ann.id)
    (event,) = bench.events()
    data = data_of(Event.model_validate(event))
    assert isinstance(data, ReviewedData)
    assert (data.status, data.decision, data.corrected) == ("accepted", "corrected", ("text",))
    assert (data.text, data.brand) == (("Oolong 乌龙茶", "100 g"), "Oolong 乌龙茶")
    assert [picture.name for picture in data.pictures] == ["cutout", "main"]
    matting = next(step for step in view.steps if step.name == "matting")
    assert (
        matting.started_at
        == next(step for step in photo.steps if step.name == "matting").started_at
    ), "what is not touched does not run again"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({"brand": "Ding"}, {"brand": "Ding"}, id="brand"),
        pytest.param({"brand": None}, {"brand": None}, id="there is no brand"),
        pytest.param({"model": "X-1"}, {"model": "X-1"}, id="model"),
        pytest.param({"category": TEA}, {}, id="category"),
        pytest.param({"category": TEA, "brand": "Ding"}, {"brand": "Ding"}, id="together"),
    ],
)
def test_fields_of_recognition(
    bench: ReviewBench, photo: JobView, ann: Person, fields: dict[str, Any], told: dict[str, Any]
) -> None:
    before = result(bench, photo)
    restart = restart_of(correct(bench, bench.held(ann, photo.id), ann, **fields))
    assert restart.step is Step.RECOGNITION
    bench.run(restart)
    whole = result(bench, photo)
    top, *others = whole["recognition"]["categories"]
    if "category" in fields:
        assert (top["id"], top["zh"], top["probability"]) == (9, "茶", 1.0)
        assert others == before["recognition"]["categories"]
    else:
        assert top == before["recognition"]["categories"][0]
    for name in ("brand", "model"):
        found = whole["recognition"][name]
        if name not in told:
            assert found == before["recognition"][name]
        elif told[name] is None:
            assert found is None
        else:
            assert (found["value"], found["rule"], found["confidence"]) == (told[name], "human", 1)
    assert whole["text"] == before["text"]
    assert whole["provenance"]["human"] == list(Correction(**fields).fields)


def test_a_drawn_matte_renders_every_picture_anew_and_overwrites_none(
    bench: ReviewBench, photo: JobView, ann: Person
) -> None:
    objects = {one.key: bench.blobs.get(one.key) for one in photo.artifacts}
    hold = bench.held(ann, photo.id)
    key = drawn(bench, hold, (240, 320))
    restart = restart_of(correct(bench, hold, ann, matte=key))
    assert restart.step is Step.MATTING
    bench.run(restart)
    view = bench.views.by_id(photo.id)
    matte = result(bench, photo)["matte"]
    assert (matte["coverage"], matte["confidence"], matte["supplied"]) == (0.5, 1.0, False)
    for name in ("matte", "foreground", "cutout", "main"):
        first, second = keys(view, name)
        assert first != second, name
    assert {key: bench.blobs.get(key) for key in objects} == objects, "nothing was overwritten"
    cutout = load_rgba(bench.blobs.get(keys(view, "cutout")[-1]))
    assert (cutout[:110, :, 3] == 255).all()
    assert (cutout[130:, :, 3] == 0).all()
    (event,) = bench.events()
    assert [one["key"] for one in event["data"]["pictures"]] == [
        keys(view, "cutout")[-1], keys(view, "main")[-1]
    ]  # fmt: skip


def test_everything_at_once(bench: ReviewBench, photo: JobView, ann: Person) -> None:
    hold = bench.held(ann, photo.id)
    fields = {
        "text": LINES,
        "category": TEA,
        "model": "X-1",
        "matte": drawn(bench, hold, (240, 320)),
    }
    bench.run(restart_of(correct(bench, hold, ann, **fields)))
    whole = result(bench, photo)
    assert whole["provenance"]["human"] == ["text", "category", "model", "matte"]
    assert whole["recognition"]["brand"]["value"] == "Oolong 乌龙茶", "follows from the text"
    assert whole["confidence"] == 1.0


def test_what_was_wrong_is_kept_for_the_training_data(
    bench: ReviewBench, photo: JobView, ann: Person
) -> None:
    before = result(bench, photo)
    decided = correct(bench, bench.held(ann, photo.id), ann, text=LINES, brand=None, category=TEA)
    assert decided.item.decision is not None
    assert decided.item.decision["before"] == {
        "text": before["text"]["lines"],
        "category": before["recognition"]["categories"][0],
        "brand": before["recognition"]["brand"],
    }


def test_a_correction_survives_a_crash_before_the_job_was_published(
    bench: ReviewBench, photo: JobView, ann: Person
) -> None:
    """The process that took the decision dies: the reconciler finds the job and starts it."""
    correct(bench, bench.held(ann, photo.id), ann, brand="Ding")
    empty = frozenset((step, lane) for step in Step for lane in Lane)
    assert bench.ledger.standing_still(PATIENCE, empty) == []
    bench.clock.now += PATIENCE + timedelta(seconds=1)
    ((row, job, step),) = bench.ledger.standing_still(PATIENCE, empty)
    assert (row, step) == (photo.id, Step.RECOGNITION)
    bench.run(Restart(row, job, step))
    assert result(bench, photo)["recognition"]["brand"]["value"] == "Ding"
    assert [event["type"] for event in bench.events()] == ["job.reviewed"]


def test_a_correction_survives_the_death_of_the_worker_that_obeys_it(
    bench: ReviewBench, photo: JobView, ann: Person
) -> None:
    restart = restart_of(correct(bench, bench.held(ann, photo.id), ann, brand="Ding"))
    bench.ledger.begin(photo.id, Step.RECOGNITION, worker="dies")
    bench.clock.now += timedelta(minutes=1)
    bench.run(restart)
    assert result(bench, photo)["recognition"]["brand"]["value"] == "Ding"
    assert [event["type"] for event in bench.events()] == ["job.reviewed"]


def test_the_message_of_a_corrected_step_goes_on_behind_the_steps_that_stand(
    bench: ReviewBench, photo: JobView, ann: Person
) -> None:
    restart = restart_of(correct(bench, bench.held(ann, photo.id), ann, category=TEA))
    assert restart.step is Step.RECOGNITION
    bench.clock.now += timedelta(seconds=1)
    bench.run(restart, last=Step.RECOGNITION)  # and then its worker dies, before it goes on
    again = bench.ledger.begin(photo.id, Step.RECOGNITION, worker="w2")
    assert (again.verdict, again.onward) == (Verdict.HAND_ON, Step.FINISH)
    stale = bench.ledger.begin(photo.id, Step.OCR, worker="w2")
    assert stale.verdict is Verdict.DROP, "a late message from before the correction"


def test_the_event_is_sent_once_however_often_the_job_is_started(
    bench: ReviewBench, photo: JobView, ann: Person
) -> None:
    hold = bench.held(ann, photo.id)
    restart = restart_of(correct(bench, hold, ann, brand="Ding"))
    again = correct(bench, hold, ann, brand="Ding")
    assert again.restart == restart, "a lost answer is given again"
    bench.run(restart)
    for step in restart.job.chain:
        verdict = bench.ledger.begin(photo.id, step, worker="late").verdict
        assert verdict is Verdict.DROP, step
    assert [event["type"] for event in bench.events()] == ["job.reviewed"]
    with pytest.raises(AlreadyDecided):
        correct(bench, hold, ann, brand="Other")
    assert correct(bench, hold, ann, brand="Ding").restart is None


def test_a_matte_that_does_not_fit_fails_the_job_with_a_name_and_a_retry_keeps_the_rest(
    bench: ReviewBench, photo: JobView, ann: Person
) -> None:
    hold = bench.held(ann, photo.id)
    key = drawn(bench, hold, (10, 10))
    restart = restart_of(correct(bench, hold, ann, matte=key, brand="Ding"))
    bench.run(restart, last=Step.RECOGNITION)
    with pytest.raises(AssertionError, match="STOP"):
        bench.run(replace(restart, step=Step.MATTING), last=Step.MATTING)
    view = bench.views.by_id(photo.id)
    assert (view.status, view.code) == ("failed", CorruptImage.code)
    assert "10 x 10" in (view.message or "")
    row, job, step = bench.ledger.retry("tests", "photo")
    assert step is Step.MATTING
    alpha = encode_grey(np.full((240, 320), 255, np.uint8))
    bench.blobs.put(key, alpha, "image/png")
    bench.run(Restart(row, job, step))
    assert result(bench, photo)["provenance"]["human"] == ["brand", "matte"]


def test_a_matte_that_was_not_saved_for_this_job_is_refused(
    bench: ReviewBench, photo: JobView, ann: Person
) -> None:
    hold = bench.held(ann, photo.id)
    for key in ("originals/secret.png", keys(photo, "matte")[0]):
        with pytest.raises(InvalidDecision, match="not saved"):
            correct(bench, hold, ann, matte=key)


def test_a_correction_is_no_other_jobs_result(
    bench: ReviewBench, photo: JobView, ann: Person, tmp_path: Path
) -> None:
    """The same photo again, in another job: it gets what the machine finds."""
    bench.run(restart_of(correct(bench, bench.held(ann, photo.id), ann, text=LINES)))
    again = photo.request.model_copy(update={"job_id": "again"})
    row = bench.ledger.submit(again).id
    bench.run(Restart(row, again, Step.PREPARE))
    text = TextResult.model_validate(result(bench, bench.views.by_id(row))["text"])
    assert [line.text for line in text.lines] != ["Oolong 乌龙茶", "100 g"]


def test_a_broker_that_is_away_costs_only_time(
    bench: ReviewBench,
    photo: JobView,
    ann: Person,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise BrokerUnavailable("The broker is away.")

    restart = restart_of(correct(bench, bench.held(ann, photo.id), ann, brand="Ding"))
    monkeypatch.setattr(workflow, "start", away)
    workflow.restarter(None)(restart)  # no application is asked
    assert "waits before recognition for the reconciler" in caplog.text
    assert isinstance(restart.job, Job)
