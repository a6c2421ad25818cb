"""The line of one job without a broker: a real ledger on SQLite, and stages of one line."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from models.fake import fake_models
from packshot.contract import Image, Job, Lane, Step
from packshot.fetch import Fetcher
from packshot.fetch import Policy as FetchPolicy
from packshot.routing import Policy
from packshot.settings import Settings
from packshot.store.blobs.memory import MemoryBlobs
from packshot.store.engine import open_engine
from packshot.store.ledger import Ledger, Settlement
from packshot.store.outbox import Outbox
from packshot.store.tables import JobStatus
from packshot.store.views import Views
from packshot.tracing import NoTracing, Tracing
from tasks.delivery import Next
from tasks.runner import Runner
from tasks.services import Services
from tasks.stage import Found, Stage, Work
from workers.database import upgrade


class Word(BaseModel):
    """What the stages here find."""

    text: str


@dataclass
class Line:
    """A runner over its own ledger; `instead` says what a stage does in place of answering."""

    folder: Path
    tracing: Tracing = field(default_factory=NoTracing)
    instead: dict[Step, Callable[[Work], None]] = field(default_factory=dict)
    status: JobStatus = JobStatus.ACCEPTED
    reasons: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        engine = open_engine(f"sqlite:///{self.folder / 'ledger.sqlite'}")
        upgrade(engine)
        self.ledger = Ledger(engine, pipeline="test", max_attempts=4)
        self.services = Services(
            settings=Settings.load(),
            ledger=self.ledger,
            views=Views(engine),
            outbox=Outbox(engine),
            blobs=MemoryBlobs(),
            fetcher=Fetcher(FetchPolicy()),
            models=fake_models(),
            policy=Policy(),
            worker="w1",
            tracing=self.tracing,
        )
        self.engine = engine
        stages = {step: self._stage(step) for step in Step}
        self.runner = Runner(self.services, stages, sleep=lambda _: None)

    def _stage(self, step: Step) -> Stage:
        def run(work: Work) -> Found:
            if step in self.instead:
                self.instead[step](work)
            end = None
            if step is Step.FINISH:
                end = Settlement(self.status, {"ok": True}, self.reasons, 0.9, None, {"status": 1})
            return Found(Word(text=step), confidence=0.5, settlement=end)

        key = (lambda work: work.input_key("same")) if step is Step.OCR else None
        return Stage(step, Word, run, key=key)

    def submit(self, name: str, *, lane: Lane = Lane.LIVE, traceparent: str | None = None) -> UUID:
        """Insert a job of all steps."""
        image = Image(uri="s3://a/b")
        job = Job(
            version=1,
            source="tests",
            job_id=name,
            image=image,
            lane=lane,
            traceparent=traceparent,
            sku="SKU1",
        )
        return self.ledger.submit(job).id

    def deliver(self, row: UUID, step: Step, lane: Lane = Lane.LIVE) -> Next:
        """One message of one step."""
        return self.runner.deliver(row, step, worker="w1", lane=lane).fate

    def events(self) -> list[dict[str, Any]]:
        """What waits in the outbox, taken out."""
        out: list[dict[str, Any]] = []
        self.services.outbox.relay(lambda _kind, event: out.append(event))
        return out
