"""Every event that a job really causes fits the published schema and its type."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from models.fake import fake_models
from packshot.contract import Event, Image, Job, Output, Step, Template
from packshot.events import FailedData, ResultData, data_of
from packshot.fetch import Fetcher
from packshot.fetch import Policy as FetchPolicy
from packshot.imaging.encode import encode
from packshot.routing import Policy
from packshot.settings import Settings
from packshot.store.blobs.memory import MemoryBlobs
from packshot.store.engine import open_engine
from packshot.store.ledger import Ledger
from packshot.store.outbox import Outbox
from packshot.store.views import Views
from tasks.app import STAGES
from tasks.delivery import Next
from tasks.runner import Runner
from tasks.services import Services
from workers.database import upgrade

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "event.v1.schema.json"
METADATA = {"listing": 42, "nothing": None, "名": ["旺仔"]}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A noisy picture: sharp and well exposed, so that no rule fires."""
    noise = np.random.default_rng(7).integers(0, 256, (240, 320, 3), np.uint8)
    path = tmp_path / "tea 茶.png"
    path.write_bytes(encode(noise, "png", 100))
    return path


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    upgrade(engine)
    yield Services(
        settings=Settings.load(),
        ledger=Ledger(engine, pipeline="test"),
        views=Views(engine),
        outbox=Outbox(engine),
        blobs=MemoryBlobs(),
        fetcher=Fetcher(FetchPolicy(allow_files=True)),
        models=fake_models(),
        policy=Policy(audit_rate=0.0),
        worker="w1",
    )
    engine.dispose()


def run(services: Services, job: Job) -> Event:
    """Take a job through all of its steps; returns its one event, as JSON made it."""
    row = services.ledger.submit(job).id
    runner = Runner(services, STAGES, sleep=lambda _: None)
    for step in job.chain:
        if runner.deliver(row, step, worker="w1").fate is not Next.HAND_ON:
            break
    sent: list[dict[str, Any]] = []
    services.outbox.relay(lambda _kind, event: sent.append(event))
    (event,) = sent
    schema = Draft202012Validator(
        json.loads(SCHEMA.read_text(encoding="utf-8")),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    schema.validate(event)
    assert event["data"]["metadata"] == METADATA
    return Event.model_validate_json(json.dumps(event, allow_nan=False))


def job(uri: str, **changes: Any) -> Job:
    return Job(
        version=1,
        source="tests",
        job_id="1",
        sku="A1",
        image=Image(uri=uri),
        metadata=METADATA,
        **changes,
    )


@pytest.mark.parametrize(
    ("changes", "fields", "pictures"),
    [
        pytest.param({}, {"text", "category", "brand", "model"}, ["cutout"], id="everything"),
        pytest.param({"outputs": ()}, {"text", "category", "brand", "model"}, [], id="no pictures"),
        pytest.param({"steps": (Step.OCR,)}, {"text"}, [], id="text"),
        pytest.param(
            {"steps": (Step.RECOGNITION,)}, {"category", "brand", "model"}, [], id="category"
        ),
        pytest.param({"steps": (Step.MATTING,)}, set(), ["cutout"], id="cut-out"),
        pytest.param({"steps": ()}, set(), [], id="nothing"),
        pytest.param(
            {"outputs": (Output(name="a", size=64), Output(name="b", background="#ffffff"))},
            {"text", "category", "brand", "model"},
            ["a", "b"],
            id="two pictures",
        ),
    ],
)
def test_an_accepted_job(
    services: Services, photo: Path, changes: dict[str, Any], fields: set[str], pictures: list[str]
) -> None:
    event = run(services, job(str(photo), review="never", **changes))
    data = data_of(event)
    assert isinstance(data, ResultData)
    assert (event.type, data.status, event.subject) == ("job.accepted", "accepted", "tests/1")
    assert {"text", "category", "brand", "model"} & data.model_fields_set == fields
    assert [one.name for one in data.pictures] == pictures
    assert all(services.blobs.size(one.key) for one in data.pictures)


def test_a_job_for_review(services: Services, photo: Path) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    event = run(services, job(str(photo), review="always", traceparent=trace))
    data = data_of(event)
    assert isinstance(data, ResultData)
    assert (event.type, data.status, event.traceparent) == ("job.review_requested", "review", trace)
    assert "requested" in [reason.code for reason in data.reasons]
    assert services.views.job("tests", "1").status == "review"


@pytest.mark.parametrize(
    ("uri", "changes", "step", "code"),
    [
        pytest.param("ftp://a/b", {}, Step.PREPARE, "forbidden_address", id="address"),
        pytest.param("/gone/photo.jpg", {}, Step.PREPARE, "not_found", id="not found"),
        pytest.param("data:,text", {}, Step.PREPARE, "unsupported_format", id="no picture"),
        pytest.param(
            "photo",
            {"outputs": (Output(name="a", background=Template(uri="/gone/autumn.jpg")),)},
            Step.FINISH,
            "not_found",
            id="background",
        ),
    ],
)
def test_a_failed_job(
    services: Services, photo: Path, uri: str, changes: dict[str, Any], step: Step, code: str
) -> None:
    event = run(services, job(str(photo) if uri == "photo" else uri, **changes))
    data = data_of(event)
    assert isinstance(data, FailedData)
    assert (event.type, data.step, data.code) == ("job.failed", step, code)
    assert data.message.endswith(".")
