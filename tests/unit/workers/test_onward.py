"""When a worker does a job's next step without a message for it."""

from collections.abc import Iterator

import pytest
from celery.worker import state

from packshot.contract import Lane, Step
from workers.onward import Onward
from workers.pool import LanePool
from workers.roles import role


@pytest.fixture(autouse=True)
def serving() -> Iterator[None]:
    """Celery's switches are those of the process."""
    yield
    state.should_stop = state.should_terminate = None


@pytest.mark.parametrize(
    ("name", "lanes", "step", "lane", "here"),
    [
        ("all", tuple(Lane), Step.OCR, Lane.BULK, True),
        ("gpu", tuple(Lane), Step.MATTING, Lane.LIVE, True),
        ("gpu", tuple(Lane), Step.FINISH, Lane.LIVE, False),
        ("io", tuple(Lane), Step.OCR, Lane.BULK, False),
        ("all", (Lane.LIVE,), Step.OCR, Lane.BULK, False),
    ],
)
def test_it_goes_on_with_what_it_serves(
    name: str, lanes: tuple[Lane, ...], step: Step, lane: Lane, here: bool
) -> None:
    assert Onward(role(name).queues(lanes))(step, lane) is here


@pytest.mark.parametrize("switch", ["should_stop", "should_terminate"])
def test_a_drain_waits_for_a_step_and_not_for_a_job(switch: str) -> None:
    onward = Onward(role("all").queues())
    assert onward(Step.OCR, Lane.BULK)
    setattr(state, switch, 0)
    assert not onward(Step.OCR, Lane.BULK)


@pytest.mark.parametrize(("waits", "bulk", "live"), [(False, True, True), (True, False, True)])
def test_a_bulk_job_gives_its_thread_to_a_live_step_that_waits(
    waits: bool, bulk: bool, live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    onward = Onward(role("all").queues())
    onward.pool = LanePool(1)
    monkeypatch.setattr(onward.pool, "live_waits", lambda: waits)
    assert onward(Step.OCR, Lane.BULK) is bulk
    assert onward(Step.OCR, Lane.LIVE) is live
