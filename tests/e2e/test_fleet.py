"""The whole way over RabbitMQ, Postgres and S3, with worker processes."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from packshot.client import Client
from packshot.contract import DEAD_QUEUE, REJECTED_QUEUE, REVIEW_QUEUE, Image, Job, Lane, Output
from packshot.imaging.stored import load_rgba
from packshot.store.engine import open_engine
from packshot.store.views import JobView, Views
from tests.support.fleet import Fleet, Listener, depth, environment, settings_of
from tests.support.s3_server import Bucket
from workers.services import open_store

pytestmark = pytest.mark.services

#: One listing picture and the cut-out, small enough that encoding is not what is measured.
OUTPUTS = (
    Output(name="cutout"),
    Output(name="main", background="#ffffff", format="jpeg", size=512, fill=0.85),
)


@pytest.fixture
def fleet(rabbit: str, postgres: str, s3: Bucket, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(environment(rabbit, postgres, s3), tmp_path)
    fleet.packshot("db", "upgrade")
    fleet.packshot("broker", "setup")
    yield fleet
    fleet.close()


@pytest.fixture
def listener(fleet: Fleet, rabbit: str) -> Iterator[Listener]:
    listener = Listener(rabbit)
    yield listener
    listener.close()


def photo(number: int) -> bytes:
    """A JPEG of its own for each number."""
    noise = np.random.default_rng(number).integers(0, 256, (60, 80, 3), np.uint8)
    picture = cv2.resize(noise, (400, 300), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def upload(fleet: Fleet, count: int) -> list[Job]:
    store = open_store(settings_of(fleet.settings))
    bucket = fleet.settings["PACKSHOT_BLOBS"]
    jobs = []
    for number in range(count):
        store.put(f"uploads/{number}.jpg", photo(number), "image/jpeg")
        jobs.append(
            Job(
                version=1,
                source="tests",
                job_id=f"job-{number}",
                sku=f"SKU{number}",
                image=Image(uri=f"{bucket}/uploads/{number}.jpg"),
                lane=Lane.LIVE if number % 4 == 0 else Lane.BULK,
                outputs=OUTPUTS,
                metadata={"number": number},
            )
        )
    return jobs


def views(fleet: Fleet) -> list[JobView]:
    engine = open_engine(fleet.settings["PACKSHOT_DATABASE_URL"])
    try:
        return Views(engine).jobs("tests")
    finally:
        engine.dispose()


def test_every_job_ends_once_with_pictures_and_one_event(
    fleet: Fleet, listener: Listener, rabbit: str
) -> None:
    fleet.start("all", "--fake-models", "0.01")
    fleet.start("all", "--fake-models", "0.01")
    jobs = upload(fleet, 40)
    with Client(rabbit) as client:
        for job in jobs:
            client.submit(job)
            client.submit(job)  # a producer that is not sure repeats itself
    listener.wait(40, 90)
    assert fleet.close() == [0, 0]
    listener.quiet(1)
    final = Counter(event["subject"] for event in listener.events)
    assert len(final) == 40
    # A repeated message of a settled job sends its last event again, under the same id.
    assert len({event["id"] for event in listener.events}) == 40
    seen = views(fleet)
    assert {view.status for view in seen} <= {"accepted", "review"}
    assert len(seen) == 40
    assert {step.attempt for view in seen for step in view.steps} == {1}
    assert depth(rabbit, DEAD_QUEUE) == depth(rabbit, REJECTED_QUEUE) == 0
    assert depth(rabbit, REVIEW_QUEUE) == sum(view.status == "review" for view in seen)
    store = open_store(settings_of(fleet.settings))
    for view in seen:
        assert view.result is not None
        pictures = {one["name"]: one for one in view.result["pictures"]}
        assert set(pictures) == {"cutout", "main"}
        assert load_rgba(store.get(pictures["cutout"]["key"])).shape == (300, 400, 4)
        assert store.size(pictures["main"]["key"]) == pictures["main"]["bytes"]


def test_roles_share_the_work(fleet: Fleet, listener: Listener, rabbit: str) -> None:
    for role in ("io", "ocr", "recognition", "matting"):
        fleet.start(role, "--fake-models", "0")
    with Client(rabbit) as client:
        for job in upload(fleet, 4):
            client.submit(job)
    listener.wait(4, 60)
    done_by = {
        step.name: (step.worker or "").split("-")[0] for view in views(fleet) for step in view.steps
    }
    assert done_by == {
        "prepare": "io",
        "ocr": "ocr",
        "recognition": "recognition",
        "matting": "matting",
        "finish": "io",
    }


def test_a_worker_that_is_killed_loses_nothing(
    fleet: Fleet, listener: Listener, rabbit: str
) -> None:
    victim = fleet.start("all", "--fake-models", "0.2")
    with Client(rabbit) as client:
        for job in upload(fleet, 12):
            client.submit(job)
    listener.wait(2, 60)
    victim.kill()
    victim.wait()
    fleet.start("all", "--fake-models", "0.01")
    listener.wait(12, 90)
    listener.quiet(1)
    # Killed between publishing and marking, a relay publishes again: the id tells.
    once = {event["id"]: event["subject"] for event in listener.events}
    assert Counter(Counter(once.values()).values()) == {1: 12}
    assert depth(rabbit, DEAD_QUEUE) == 0


def test_the_command_line_follows_a_job(fleet: Fleet, listener: Listener) -> None:
    fleet.start("all", "--fake-models", "0")
    (job,) = upload(fleet, 1)
    message = fleet.folder / "job.json"
    message.write_text(job.model_dump_json(), encoding="utf-8")
    assert fleet.packshot("submit", str(message)) == "tests/job-0 submitted\n"
    listener.wait(1, 60)
    status = json.loads(fleet.packshot("status", "tests", "job-0", "--json"))
    assert status["status"] in {"accepted", "review"}
    assert "prepare" in fleet.packshot("status", "tests", "job-0")
    result = json.loads(fleet.packshot("result", "tests", "job-0"))
    assert result["provenance"]["models"][0]["name"] == "fake"
    with pytest.raises(AssertionError, match="only failed or cancelled"):
        fleet.packshot("retry", "tests", "job-0")
    with pytest.raises(AssertionError, match="There is no job tests/nobody"):
        fleet.packshot("result", "tests", "nobody")


def test_a_failed_job_is_retried_from_where_it_failed(
    fleet: Fleet, listener: Listener, rabbit: str
) -> None:
    fleet.start("all", "--fake-models", "0")
    (job,) = upload(fleet, 1)
    store = open_store(settings_of(fleet.settings))
    store.delete("uploads/0.jpg")
    with Client(rabbit) as client:
        client.submit(job)
    (event,) = listener.wait(1, 60)
    assert (event["type"], event["data"]["code"]) == ("job.failed", "not_found")
    store.put("uploads/0.jpg", photo(0), "image/jpeg")
    assert "goes on at prepare" in fleet.packshot("retry", "tests", "job-0")
    assert listener.wait(2, 60)[-1]["type"] in {"job.accepted", "job.review_requested"}


def test_a_worker_whose_models_are_missing_does_not_start(fleet: Fleet, tmp_path: Path) -> None:
    fleet.settings["PACKSHOT_MODELS"] = str(tmp_path / "nothing")
    with pytest.raises(AssertionError, match="model_missing"):
        fleet.start("ocr")
    assert isinstance(fleet.workers[0], subprocess.Popen)
    assert fleet.workers[0].returncode == 1
