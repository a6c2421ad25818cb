"""From messages to seconds: what a role has to do, and how long the fleet needs for it."""

import math

import pytest

from packshot.contract import Lane, Step
from packshot.store.gauges import robust_mean
from workers.exporter.queues import WORKING, _servers
from workers.exporter.work import (
    ANY,
    INTAKE,
    INTAKE_SECONDS,
    UNKNOWN_SECONDS,
    Depth,
    Key,
    Server,
    drain,
    queue_work,
    role_work,
    slots,
)

COSTS = {
    Step.PREPARE: 0.1,
    Step.OCR: 1.0,
    Step.RECOGNITION: 0.2,
    Step.MATTING: 2.0,
    Step.FINISH: 0.4,
}
OCR_LIVE: Key = (Step.OCR, Lane.LIVE)
MATTING_LIVE: Key = (Step.MATTING, Lane.LIVE)


RECOGNITION_LIVE: Key = (Step.RECOGNITION, Lane.LIVE)
NONE = Depth(0, 0)


def _serving(slots: int, *queues: Key) -> Server:
    return Server(frozenset(queues), slots)


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        pytest.param([], None, id="nothing was done yet"),
        pytest.param([2.0], 2.0, id="one"),
        pytest.param([1.0, 3.0], 2.0, id="two"),
        pytest.param([1.0] * 99 + [120.0], 1.0, id="one hung step"),
        pytest.param([0.0] + [1.0] * 99, 1.0, id="one known result"),
        pytest.param([0.0] * 50 + [1.0] * 50, 0.5, id="every second result was known"),
    ],
)
def test_the_cost_of_a_step_is_a_mean_that_outliers_do_not_move(
    values: list[float], mean: float | None
) -> None:
    assert robust_mean(values) == (pytest.approx(mean) if mean is not None else None)


def test_work_is_messages_times_seconds_ready_or_not() -> None:
    found = queue_work({OCR_LIVE: Depth(8, 2), (INTAKE, ANY): Depth(100, 0)}, COSTS)
    assert found == {OCR_LIVE: pytest.approx(10.0), (INTAKE, ANY): 100 * INTAKE_SECONDS}


def test_a_step_that_was_never_done_costs_a_guess() -> None:
    assert queue_work({OCR_LIVE: Depth(2, 0)}, {Step.OCR: None}) == {OCR_LIVE: 2 * UNKNOWN_SECONDS}


@pytest.mark.parametrize(
    ("role", "depths", "seconds"),
    [
        pytest.param("ocr", {OCR_LIVE: Depth(10, 0)}, 10.0, id="one stage"),
        pytest.param("gpu", {OCR_LIVE: Depth(10, 0)}, 32.0, id="with what it will do next"),
        pytest.param("gpu", {MATTING_LIVE: Depth(10, 0)}, 20.0, id="what is done is not counted"),
        pytest.param("matting", {OCR_LIVE: Depth(10, 0)}, 0.0, id="not yet its own"),
        pytest.param(
            "all", {OCR_LIVE: Depth(9, 1), MATTING_LIVE: Depth(1, 0)}, 38.4, id="to the end"
        ),
        pytest.param("io", {(Step.PREPARE, Lane.LIVE): Depth(10, 0)}, 1.0, id="until handed on"),
    ],
)
def test_a_role_is_sized_for_what_it_will_do(
    role: str, depths: dict[Key, Depth], seconds: float
) -> None:
    found = role_work(depths, COSTS)
    assert found[role, Lane.LIVE] == pytest.approx(seconds)
    assert found[role, Lane.BULK] == 0


def test_unread_messages_are_work_of_whoever_takes_them_in() -> None:
    found = role_work({(INTAKE, ANY): Depth(100, 0)}, COSTS)
    assert found["io", ANY] == pytest.approx(100 * (INTAKE_SECONDS + 0.1))
    assert found["all", ANY] == pytest.approx(100 * (INTAKE_SECONDS + 3.7))
    assert ("gpu", ANY) not in found
    assert all(seconds == 0 for (_, lane), seconds in found.items() if lane != ANY)


@pytest.mark.parametrize(
    ("servers", "seconds"),
    [
        pytest.param([], math.inf, id="nobody"),
        pytest.param([_serving(8, MATTING_LIVE)], math.inf, id="only for another queue"),
        pytest.param([_serving(2, OCR_LIVE)], 15.0, id="one worker"),
        pytest.param([_serving(2, OCR_LIVE)] * 3, 5.0, id="three"),
        pytest.param([_serving(2, OCR_LIVE, MATTING_LIVE)], 20.0, id="one for both"),
        pytest.param(
            [_serving(2, OCR_LIVE, RECOGNITION_LIVE, MATTING_LIVE)], 53.0, id="and goes on"
        ),
        pytest.param(
            [_serving(2, OCR_LIVE, MATTING_LIVE), _serving(2, OCR_LIVE)], 60 / 7, id="and a helper"
        ),
    ],
)
def test_time_to_drain(servers: list[Server], seconds: float) -> None:
    waiting = {OCR_LIVE: Depth(28, 2), MATTING_LIVE: Depth(5, 0), (Step.FINISH, Lane.LIVE): NONE}
    found = drain(waiting, COSTS, servers)
    assert found[OCR_LIVE] == pytest.approx(seconds)
    assert found[Step.FINISH, Lane.LIVE] == 0


def test_a_workers_consumers_are_one_worker() -> None:
    def consumer(queue: str, connection: str, prefetch: int) -> dict[str, object]:
        return {
            "queue": {"name": queue},
            "prefetch_count": prefetch,
            "channel_details": {"connection_name": connection},
        }

    rows = [
        consumer("packshot.ocr.live", "a", 4),
        consumer("packshot.matting.live", "a", 4),
        consumer("packshot.ocr.live", "b", 2),
        consumer("packshot.intake", "c", 20),
        consumer("celery@a.celery.pidbox", "a", 0),
    ]
    found = _servers(rows)
    keys = list(WORKING.values())
    assert slots(found, keys)[OCR_LIVE] == 6
    assert slots(found, keys)[MATTING_LIVE] == 4
    assert slots(found, keys)[INTAKE, ANY] == 1
    assert len(found) == 3
