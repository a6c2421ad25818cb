"""A queue with something in it: jobs that went through shipped fakes and wait for a person."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from argon2 import PasswordHasher
from sqlalchemy import Engine

from models.fake import fake_models
from packshot.contract import Image, Job, Lane, Output, Step
from packshot.fetch import Fetcher
from packshot.fetch import Policy as FetchPolicy
from packshot.imaging.encode import encode
from packshot.routing import Policy
from packshot.settings import Settings
from packshot.store.blobs.memory import MemoryBlobs
from packshot.store.ledger import Ledger, Outcome, Settlement
from packshot.store.outbox import Outbox
from packshot.store.people import People
from packshot.store.persons import Person, Role
from packshot.store.review_items import Hold, Restart
from packshot.store.reviews import Reviews
from packshot.store.tables import JobStatus
from packshot.store.views import JobView, Views
from tasks.app import STAGES
from tasks.delivery import Next
from tasks.runner import Runner
from tasks.services import Services

#: Hashes in a millisecond: the tests are not about argon2.
HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
#: A password that is long enough.
PASSWORD = "correct horse battery"
LEASE = timedelta(minutes=5)
OUTPUTS = (
    Output(name="cutout"),
    Output(name="main", background="#ffffff", format="jpeg", size=128, fill=0.85),
)


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Wall(Hand):
    """The wall's clock, for browsers compare leases with their own. It can be put forward."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class ReviewBench:
    """The store's parts over one database, and short ways to fill it."""

    engine: Engine
    clock: Hand = field(default_factory=Hand)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.engine, pipeline="test", max_attempts=3, clock=self.clock)
        self.reviews = Reviews(self.engine, lease=LEASE, clock=self.clock)
        self.people = People(self.engine, clock=self.clock, hasher=HASHER)
        self.views = Views(self.engine)
        self.outbox = Outbox(self.engine, clock=self.clock)
        self._number = 0

    def person(self, login: str = "ann", role: Role = Role.REVIEWER) -> Person:
        return self.people.add(login, login.title(), role, PASSWORD)

    def queued(
        self,
        name: str | None = None,
        *,
        codes: tuple[str, ...] = ("text_unsure",),
        confidence: float | None = 0.5,
        category: int = 504,
        audit: float | None = None,
        status: JobStatus = JobStatus.REVIEW,
        **changes: Any,
    ) -> UUID:
        """A job that the machine has settled; returns its id."""
        self._number += 1
        name = name or str(self._number)
        wish = {"source": "tests", "sku": f"SKU-{name}", "lane": Lane.BULK, **changes}
        job = Job(
            version=1, job_id=name, image=Image(uri="s3://in/1.jpg"), steps=(Step.OCR,), **wish
        )
        row = self.ledger.submit(job).id
        for step in job.chain[:-1]:
            self.ledger.commit(self.ledger.begin(row, step, worker="w"), Outcome({"step": step}))
        end = Settlement(
            status,
            result(category),
            tuple({"code": code, "message": code} for code in codes),
            confidence,
            audit,
            {"status": str(status)},
            policy="test-1",
        )
        ticket = self.ledger.begin(row, Step.FINISH, worker="w")
        self.ledger.commit(ticket, Outcome({}, settlement=end))
        return row

    def review_of(self, job: UUID) -> UUID:
        (item,) = self.reviews.of_job(job)
        return item.id

    def held(self, by: Person, job: UUID | None = None) -> Hold:
        """A claim of one job's item."""
        return self.reviews.claim(self.review_of(job or self.queued()), by).hold

    def events(self) -> list[dict[str, Any]]:
        """Relay what waits and return it."""
        out: list[dict[str, Any]] = []
        while self.outbox.relay(lambda _kind, event: out.append(event)):
            pass
        return out

    def services(self, policy: Policy | None = None) -> Services:
        """What stages work with: shipped fakes, objects in memory."""
        return Services(
            settings=Settings.load(),
            ledger=self.ledger,
            views=self.views,
            outbox=self.outbox,
            blobs=self.blobs,
            fetcher=Fetcher(FetchPolicy(allow_files=True)),
            models=fake_models(),
            policy=policy or Policy(audit_rate=0.0),
            worker="w1",
        )

    def photographed(
        self, path: Path, name: str = "photo", *, data: bytes | None = None, **changes: Any
    ) -> JobView:
        """A job whose photo (noise, or `data`) went through every stage and waits for a person."""
        noise = np.random.default_rng(list(name.encode())).integers(0, 256, (240, 320, 3), np.uint8)
        path.write_bytes(data or encode(noise, "png", 100))
        fields = {"source": "tests", "job_id": name, "sku": "A1", "review": "always", **changes}
        job = Job.model_validate(
            {"version": 1, "image": Image(uri=str(path)), "outputs": OUTPUTS, **fields}
        )
        row = self.ledger.submit(job).id
        self.run(Restart(row, job, Step.PREPARE))
        return self.views.by_id(row)

    def run(self, it: Restart, *, last: Step = Step.FINISH) -> None:
        """Take a job through its steps, as the chain would, up to and with `last`."""
        runner = Runner(self.services(), STAGES, sleep=lambda _: None)
        for step in it.job.chain[it.job.chain.index(it.step) : it.job.chain.index(last) + 1]:
            fate = runner.deliver(it.id, step, worker="w1").fate
            assert fate is Next.HAND_ON, (step, fate)


def result(category: int = 504) -> dict[str, Any]:
    """A result as the queue reads it."""
    models = [{"name": "reader-1", "version": "1", "sha256": "0", "licence": "MIT"}]
    top = {"id": category, "en": f"thing {category}", "zh": f"东西{category}"}
    return {
        "photo": {"work_key": "work/1.png", "filename": "front.jpg"},
        "text": {
            "lines": [
                {"polygon": [[0, 0], [9, 0], [9, 9], [0, 9]], "text": "大白兔奶糖 227g",
                 "script": "han", "score": 0.4, "probability": 0.3, "vertical": False}
            ],
            "models": models,
        },
        "recognition": {
            "categories": [{**top, "probability": 0.7, "product": True}],
            "brand": {"value": "White Rabbit", "confidence": 0.9, "rule": "x", "lines": [0]},
            "model": None,
            "models": [{**models[0], "name": "classifier-1"}],
        },
        "matte": None,
        "pictures": [],
        "route": "review",
        "confidence": 0.5,
        "provenance": {"pipeline": "test", "models": models},
    }  # fmt: skip
