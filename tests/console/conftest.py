"""A console on a real port, over SQLite, with a photo that waits for a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI

from packshot.console.app import create_app
from packshot.store.engine import open_engine
from packshot.store.persons import Person, Role
from tests.support.console import Answer, Visit, served, site_of
from tests.support.review_bench import PASSWORD, ReviewBench, Wall
from workers.database import upgrade

__all__ = ["Answer", "Console", "Visit"]


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
    app = create_app(site_of(bench, bench.run))
    with served(app) as base:
        yield Console(bench, clock, app, base, job, bench.review_of(job))
    engine.dispose()
