"""Backing off: how often, how long, and only for what may pass."""

from itertools import islice

import pytest

from packshot.errors import BrokerUnavailable, CorruptImage, StorageUnavailable
from tasks.backoff import BASE_SECONDS, CAP_SECONDS, TRIES, insist, pauses


class Action:
    """Fails some times, then answers."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.calls = 0
        self._failures = failures
        self._error = error or StorageUnavailable("The store is away.")

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return "answer"


@pytest.mark.parametrize(
    ("failures", "pauses_taken"),
    [
        pytest.param(0, 0, id="at once"),
        pytest.param(1, 1, id="second"),
        pytest.param(TRIES - 1, TRIES - 1, id="last"),
    ],
)
def test_an_action_gets_as_many_tries_as_it_needs(failures: int, pauses_taken: int) -> None:
    slept: list[float] = []
    action = Action(failures)
    assert insist(action, sleep=slept.append) == "answer"
    assert (action.calls, len(slept)) == (failures + 1, pauses_taken)


def test_after_the_last_try_the_error_is_the_callers() -> None:
    slept: list[float] = []
    action = Action(TRIES)
    with pytest.raises(StorageUnavailable):
        insist(action, sleep=slept.append)
    assert (action.calls, len(slept)) == (TRIES, TRIES - 1)
    assert all(0 <= seconds <= CAP_SECONDS for seconds in slept)


def test_the_number_of_tries_can_be_set() -> None:
    action = Action(2, BrokerUnavailable("The broker is away."))
    with pytest.raises(BrokerUnavailable):
        insist(action, tries=2, sleep=lambda _: None)
    assert action.calls == 2


@pytest.mark.parametrize(
    "error",
    [pytest.param(CorruptImage("No."), id="rejected"), pytest.param(ValueError("bug"), id="bug")],
)
def test_what_cannot_pass_is_not_tried_again(error: Exception) -> None:
    action = Action(1, error)
    with pytest.raises(type(error)):
        insist(action, sleep=lambda _: None)
    assert action.calls == 1


def test_pauses_grow_to_their_cap_and_are_spread_over_all_of_it() -> None:
    series = [list(islice(pauses(base=BASE_SECONDS, cap=1.0), 6)) for _ in range(400)]
    for step, ceiling in enumerate([0.25, 0.5, 1.0, 1.0, 1.0, 1.0]):
        drawn = [one[step] for one in series]
        assert 0 <= min(drawn) < 0.2 * ceiling
        assert 0.8 * ceiling < max(drawn) <= ceiling
