"""What a worker process does between its parts."""

from pathlib import Path
from uuid import uuid4

import pytest

from packshot.contract import Step
from packshot.settings import Settings
from tasks.delivery import Next
from tasks.relay import Relay
from workers.lifecycle import Options, Worker
from workers.roles import role


@pytest.mark.parametrize(
    ("step", "fate", "ended"),
    [
        (Step.FINISH, Next.HAND_ON, True),
        (Step.OCR, Next.STOP, True),
        (Step.OCR, Next.DEAD, True),
        (Step.OCR, Next.HAND_ON, False),
        (Step.OCR, Next.AGAIN, False),
    ],
)
def test_an_event_does_not_wait_for_the_relays_next_look(
    step: Step,
    fate: Next,
    ended: bool,
    sqlite_ledger: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    woken: list[Relay] = []

    def wake(relay: Relay) -> None:
        woken.append(relay)

    monkeypatch.setattr(Relay, "wake", wake)
    settings = Settings.load().model_copy(update={"data": tmp_path})
    worker = Worker(settings, Options(role=role("all"), concurrency=1, fake_seconds=0.0))
    assert worker.services.settings.ledger_url == sqlite_ledger
    assert worker.runner.watch
    worker.runner.watch(uuid4(), step, fate)
    assert bool(woken) is ended
