"""The table of bad input: what somebody sends, how it ends, and what he is told.

The end-to-end test asserts it row by row, and `tools/bad_input.py` writes it into docs.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from models.fake import fake_models
from packshot.store.views import JobView
from tasks.app import create_app
from tasks.intake import Intake, Refusal
from tests.support import bad_photos as make
from tests.support.message_cases import MESSAGES
from tests.support.photo_cases import MAX_BYTES, PHOTOS, Place, fine
from tests.support.web_server import WebServer
from workers.embedded import Embedded, settings_for


@dataclass(frozen=True)
class Answer:
    """How a row ended: in the ledger, and in the event that upstream gets."""

    state: str
    code: str | None
    sentence: str | None
    event: dict[str, Any]


@dataclass(frozen=True)
class Played:
    """One run over the whole table, and the installation that it ran in."""

    place: Place
    embedded: Embedded
    photos: dict[str, Answer]
    messages: dict[str, Answer]
    views: dict[str, JobView]


def play(folder: Path) -> Played:
    """Run every photo, a good one last, and take every message in; made-up models answer."""
    photos = folder / "photos"
    photos.mkdir()
    web = WebServer()
    try:
        with _world():
            return _play(folder / "data", Place(photos, web))
    finally:
        web.close()


def _play(data: Path, place: Place) -> Played:
    settings = settings_for(data).model_copy(
        update={"allow_http": True, "private_hosts": ("localhost",), "max_bytes": MAX_BYTES}
    )
    Embedded(settings, fake_models(), concurrency=4).process(case.job(place) for case in PHOTOS)
    # What is left behind must not be in the way of the next run.
    embedded = Embedded(settings, fake_models(), concurrency=1)
    embedded.process([fine("a good photo", make.photo(99)).job(place)])
    views = {view.job_id: view for view in embedded.services.views.jobs("table")}
    answers = {
        name: Answer(
            view.status,
            view.code,
            place.anonymous(view.message) if view.message else None,
            view.events[-1],
        )
        for name, view in views.items()
    }
    return Played(place, embedded, answers, dict(_take(embedded)), views)


def _take(embedded: Embedded) -> Iterator[tuple[str, Answer]]:
    intake = Intake(create_app(embedded.services.settings), embedded.services.ledger)
    for letter in MESSAGES:
        answer = intake.take(letter.body)
        assert isinstance(answer, Refusal), letter.id
        yield letter.id, Answer("rejected", answer.code, answer.message, _last_event(embedded))


def _last_event(embedded: Embedded) -> dict[str, Any]:
    events: list[dict[str, Any]] = []
    while embedded.services.outbox.relay(lambda _kind, event: events.append(event)):
        pass
    return events[-1]


@contextmanager
def _world() -> Iterator[None]:
    """No waiting for a server that never recovers, and an answer for the name that nobody has."""
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        if host == "nobody.invalid":
            # Without a name server the answer would be to try again.
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ask(host, *args, **options)

    with (
        mock.patch("tasks.runner.SOURCE_PATIENCE", 0),
        mock.patch("socket.getaddrinfo", getaddrinfo),
    ):
        yield
