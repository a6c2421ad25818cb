"""A console on a real port, for tests and benchmarks: its parts over any ledger."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
import uvicorn
from fastapi import FastAPI

from packshot.console.listener import listen
from packshot.console.renditions import Renditions
from packshot.console.site import Catalogue, Site, nothing_to_restart
from packshot.imaging.decode import Limits
from packshot.results import Category
from packshot.store.audit import Audit
from packshot.store.insight import Insight
from packshot.store.review_items import Restart
from packshot.store.search import Search
from tests.support.review_bench import ReviewBench

#: What an answer to a request looks like.
Answer = urllib3.BaseHTTPResponse


def _export(format: str, folder: Path, since: datetime | None) -> int:  # noqa: A002
    folder.mkdir(parents=True)
    (folder / "provenance.jsonl").write_text("{}\n")
    return 1


def site_of(bench: ReviewBench, restart: Callable[[Restart], None] = nothing_to_restart) -> Site:
    """What a console works with over a bench; `restart` takes corrected jobs on."""
    return Site(
        people=bench.people,
        reviews=bench.reviews,
        views=bench.views,
        ledger=bench.ledger,
        audit=Audit(bench.engine),
        insight=Insight(bench.engine),
        search=Search(bench.engine),
        blobs=bench.blobs,
        pictures=Renditions(bench.blobs, Limits()),
        export=_export,
        catalogue=Catalogue(
            categories=(Category(id=1, en="tea pot", zh="茶壶", probability=0, product=True),),
            brands=("Lumora",),
        ),
        restart=restart,
    )


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Answer on a port of this machine; yields the address."""
    listener = listen()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


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
