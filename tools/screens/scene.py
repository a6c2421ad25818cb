"""A console with a working day behind it: real photos, real models, people of each role."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from packshot.console.app import create_app
from packshot.console.site import Site
from packshot.contract import CUTOUT, MAIN, Job, Lane, Step
from packshot.errors import NotFound
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.persons import Person, Role
from packshot.store.review_items import Correction, Decision, RejectReason, Ruling
from packshot.store.reviews import Reviews
from packshot.store.tables import SETTLED, JobRow, ReasonRow, ReviewRow, StepRow
from tests.support.console import served
from workers import photos, samples
from workers.embedded import Embedded, settings_for
from workers.services import load_models
from workers.site import build_site

PEOPLE = (
    ("ines", "Inés Vidal", Role.REVIEWER),
    ("wei", "陈薇", Role.REVIEWER),
    ("morgan", "Morgan Lee", Role.LEAD),
    ("sam", "Sam Osei", Role.VIEWER),
)
SOURCES = ("listing-service", "supplier-portal", "live-shop")
#: Rounds over the sample photos: after the first one the models' answers are known.
ROUNDS = 3
#: Stricter than the defaults, so that twelve good photos fill a queue.
STRICT = {"review_text": 0.93, "review_category": 0.5, "review_matte": 0.95, "audit_rate": 0.35}
#: Seconds that the models may take for the samples on a slow machine.
PATIENCE_S = 900.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A console that answers, and what its addresses may name."""

    site: Site
    base: str
    ids: dict[str, UUID]
    sessions: dict[str, str] = field(default_factory=dict)

    def session(self, login: str) -> str:
        """The token of somebody's session: one for all pictures, as in a day."""
        if login not in self.sessions:
            secret = self.site.people.one_time(login)
            self.sessions[login] = self.site.people.sign_in_once(secret, address="desk").token
        return self.sessions[login]


@contextmanager
def working_day(folder: Path) -> Iterator[Scene]:
    """The sample photos in a queue that people have worked on; made once in each folder."""
    settings = settings_for(folder).model_copy(update=STRICT)
    embedded = Embedded(settings, load_models(settings, tuple(Step)), concurrency=2)
    engine = open_engine(settings.ledger_url, pool_size=20)
    with embedded.serving(_jobs(folder)) as restart:
        site = build_site(settings, engine, restart)
        _settled(engine)
        if not site.people.list():
            _spread(engine)
            _work(site, engine)
            _settled(engine)
        with served(create_app(site)) as base:
            yield Scene(site, base, _ids(site, engine))


@contextmanager
def first_day(folder: Path) -> Iterator[Scene]:
    """A console that nothing has happened in yet."""
    from workers.database import upgrade

    settings: Settings = settings_for(folder)
    folder.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.ledger_url, pool_size=20)
    upgrade(engine)
    site = build_site(settings, engine, lambda _: None)
    if not site.people.list():
        _hire(site)
    with served(create_app(site)) as base:
        yield Scene(site, base, {})


def _jobs(folder: Path) -> list[Job]:
    """Every sample in each round, as different producers would send it; one photo is missing."""
    found = []
    for number, path in enumerate(samples.photos() * ROUNDS):
        name = f"{path.stem.upper().replace('_', '-')}-{1001 + number}"
        changes = {
            "source": SOURCES[number % 3],
            "job_id": f"2026-11/{name.lower()}",
            "sku": name,
            "lane": Lane.LIVE if number % 9 == 4 else Lane.BULK,
        }
        found.append(photos.job(path, (CUTOUT, MAIN)).model_copy(update=changes))
    missing = {"image": found[0].image.model_copy(update={"uri": str(folder / "late.jpg")})}
    return [*found, found[0].model_copy(update={"job_id": "late", "sku": "LATE-1", **missing})]


def _settled(engine: Engine) -> None:
    end = time.monotonic() + PATIENCE_S
    open_jobs = select(JobRow.id).where(JobRow.status.not_in(SETTLED)).limit(1)
    while time.monotonic() < end:
        with Session(engine) as db:
            if db.scalar(open_jobs) is None:
                return
        time.sleep(0.5)  # the ledger tells nobody; the models take minutes
    raise NotFound(f"The samples are not finished after {PATIENCE_S:.0f} s.")


def _spread(engine: Engine) -> None:
    """Move every job back in time, as if they had come over a day."""
    with Session(engine) as db, db.begin():
        for number, job in enumerate(db.scalars(select(JobRow).order_by(JobRow.id.desc()))):
            back = timedelta(minutes=4 + 31 * number)
            steps = db.scalars(select(StepRow).where(StepRow.job == job.id)).all()
            reviews = db.scalars(select(ReviewRow).where(ReviewRow.job == job.id)).all()
            reasons = db.scalars(
                select(ReasonRow).where(ReasonRow.review.in_([one.id for one in reviews]))
            ).all()
            for row in (job, *steps, *reviews, *reasons):
                for name in ("created_at", "started_at", "finished_at", "due_at"):
                    if at := getattr(row, name, None):
                        setattr(row, name, at - back)


def _hire(site: Site) -> dict[str, Person]:
    return {
        login: site.people.add(login, name, role, "looked at, never typed")
        for login, name, role in PEOPLE
    }


def _work(site: Site, engine: Engine) -> None:
    """A third of the queue is decided over the last hours."""
    people = _hire(site)
    items = site.reviews.page(limit=100).items
    for number, item in enumerate(items[: len(items) // 3]):
        by = people[("ines", "wei", "morgan")[number % 3]]
        moment = datetime.now(UTC) - timedelta(minutes=47 * number + 6)
        past = Reviews(engine, clock=lambda moment=moment: moment)  # type: ignore[misc] # bound now
        done = past.decide(past.claim(item.id, by).hold, _ruling(number), by)
        if done.restart:
            site.restart(done.restart)


def _ruling(number: int) -> Ruling:
    if number % 4 == 1:
        return Ruling(
            decision=Decision.CORRECTED, correction=Correction(brand="Lumora"), seconds=9.5
        )
    if number % 7 == 6:
        return Ruling(
            decision=Decision.SENT_BACK,
            reason=RejectReason.UNUSABLE_PHOTO,
            note="Glare on the label: please take it again.",
            seconds=12.0,
        )
    return Ruling(decision=Decision.APPROVED, seconds=4.2)


def _ids(site: Site, engine: Engine) -> dict[str, UUID]:
    """What the pictures are of: an item with doubts in several fields, and one of each kind."""
    waiting = site.reviews.page(limit=100).items
    bright = [one for one in waiting[:-1] if "BATTERY" not in one.sku]
    item = max(bright, key=lambda one: (len(one.reasons), one.sku))
    # Held for longer than the pictures take.
    later = Reviews(engine, clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    held = later.claim(waiting[-1].id, site.people.get("wei")).item
    with Session(engine) as db:
        decided = db.scalars(select(ReviewRow).where(ReviewRow.decided_at.is_not(None))).all()
    said = [(one.decision or {}).get("decision") for one in decided]
    corrected = max(
        (one for one, what in zip(decided, said, strict=True) if what == Decision.CORRECTED),
        key=lambda one: "BATTERY" not in (one.sku or ""),
    )
    return {
        "item": item.id,
        "taken": held.id,
        "decided": corrected.id,
        "job": corrected.job,
        "failed": site.views.job(SOURCES[0], "late").id,
        "nothing": UUID(int=0),
    }
