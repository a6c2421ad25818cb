"""A console on a real port, over SQLite, with a photo that waits for a person."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
import urllib3
import uvicorn
from fastapi import FastAPI

from packshot.console.app import create_app
from packshot.console.renditions import Renditions
from packshot.console.site import Catalogue, Site
from packshot.imaging.decode import Limits
from packshot.results import Category
from packshot.store.audit import Audit
from packshot.store.engine import open_engine
from packshot.store.insight import Insight
from packshot.store.persons import Person, Role
from packshot.store.review_items import Restart
from packshot.store.search import Search
from tests.support.review_bench import PASSWORD, Hand, ReviewBench
from workers.database import upgrade

#: What an answer to a request looks like.
Answer = urllib3.BaseHTTPResponse


class Wall(Hand):
    """The wall's clock: browsers compare leases with their own. It can be put forward."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Visit:
    """One client of the console: its cookies and its form token."""

    base: str
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    bearer: str = ""

    def __call__(self, method: str, path: str, **options: Any) -> Answer:
        """Ask; redirects are answers. `form` is sent as a form, `json` as JSON."""
        headers = dict(options.pop("headers", {}))
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.csrf:
            headers.setdefault("x-csrf-token", self.csrf)
        if self.bearer:
            headers["authorization"] = f"Bearer {self.bearer}"
        if form := options.pop("form", None):
            headers["content-type"] = "application/x-www-form-urlencoded"
            options["body"] = urlencode(form)
        answer = urllib3.request(
            method, self.base + path, headers=headers, redirect=False, retries=False, **options
        )
        for cookie in answer.headers.getlist("set-cookie"):
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return answer


@dataclass
class Console:
    """The running console and everything behind it."""

    bench: ReviewBench
    clock: Wall
    app: FastAPI
    base: str
    job: UUID
    review: UUID

    def visit(self, person: Person | None = None) -> Visit:
        """Somebody signed in, or nobody."""
        if person is None:
            return Visit(self.base)
        signed = self.bench.people.sign_in(person.login, PASSWORD, address="127.0.0.1")
        return Visit(self.base, {"packshot_session": signed.token}, signed.csrf)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """One console with one person of each role: vera, ray and lea."""
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}", pool_size=25)
    upgrade(engine)
    clock = Wall()
    bench = ReviewBench(engine, clock=clock)
    for login, role in (("vera", Role.VIEWER), ("ray", Role.REVIEWER), ("lea", Role.LEAD)):
        bench.person(login, role)
    job = bench.photographed(tmp_path / "photo.png").id

    def export(format: str, folder: Path, since: datetime | None) -> int:  # noqa: A002
        folder.mkdir(parents=True)
        (folder / "provenance.jsonl").write_text("{}\n")
        return 1

    def restart(it: Restart) -> None:
        bench.run(it)

    site = Site(
        people=bench.people,
        reviews=bench.reviews,
        views=bench.views,
        ledger=bench.ledger,
        audit=Audit(engine),
        insight=Insight(engine),
        search=Search(engine),
        blobs=bench.blobs,
        pictures=Renditions(bench.blobs, Limits()),
        export=export,
        catalogue=Catalogue(
            categories=(Category(id=1, en="tea pot", zh="茶壶", probability=0, product=True),),
            brands=("Lumora",),
        ),
        restart=restart,
    )
    app = create_app(site)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield Console(bench, clock, app, base, job, bench.review_of(job))
    server.should_exit = True
    thread.join(10)
    listener.close()
    engine.dispose()
