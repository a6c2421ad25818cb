"""The simulated fleet: nothing is lost in it, it repeats itself, and nobody beats the oracle."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from workers.simulate.fleet import Fleet, Machine, Outcome, oracle
from workers.simulate.policy import Policy, QueueLength, Scaler, SecondsOfWork
from workers.simulate.trace import TRACES, Trace, replay

MEAN = 0.8
MACHINE = Machine()
MAXIMUM = 12


def short(name: str, jobs: int = 4000) -> Trace:
    """The head of a trace, so that a test takes no minute."""
    full = replay(name, seed=7, mean=MEAN)
    at, work = full.at[:jobs], full.work[:jobs]
    return replace(full, at=at, work=work, seconds=float(at[-1]) + 600)


def policies() -> list[tuple[str, Policy]]:
    return [
        ("work", SecondsOfWork(10, MACHINE.slots, MEAN)),
        ("length", QueueLength(10 * MACHINE.slots / MEAN)),
    ]


def run(trace: Trace, policy: Policy, *, minimum: int = 1, seed: int = 1) -> Outcome:
    scaler = Scaler(minimum, MAXIMUM, cooldown=300, stabilisation=300)
    return Fleet(trace, MACHINE, policy, scaler, np.random.default_rng(seed)).run()


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("minimum", [0, 1])
def test_every_job_is_served_once_and_in_order(name: str, minimum: int) -> None:
    trace = short(name)
    for _, policy in policies():
        found = run(trace, policy, minimum=minimum)
        assert not np.isnan(found.waits).any()
        assert found.waits.min() >= 0
        starts = trace.at + found.waits
        assert (np.diff(starts) >= -1e-9).all(), "a later job overtook an earlier one"
        assert found.ends == pytest.approx(starts + trace.work)
        busy = trace.work.sum() / MACHINE.slots
        assert found.paid >= busy - 1e-6, "more work was done than was paid for"


@pytest.mark.parametrize("name", TRACES)
def test_nobody_beats_the_oracle(name: str) -> None:
    trace = short(name)
    for policy_name, policy in policies():
        found = run(trace, policy)
        # Replicas that leave finish their jobs beside those that came meanwhile.
        best = oracle(trace, MACHINE, max(MAXIMUM, *(size for _, size in found.sizes)))
        assert (best.waits <= found.waits + 1e-9).all(), policy_name
        assert best.paid <= found.paid + 1e-9, policy_name


def test_the_same_seed_gives_the_same_run() -> None:
    first, again = (run(short("flash-sale"), policies()[0][1]) for _ in range(2))
    other = run(short("flash-sale"), policies()[0][1], seed=2)
    assert (first.waits == again.waits).all()
    assert first.paid == again.paid
    assert first.paid != other.paid
    assert (replay("steady", seed=1, mean=1).at != replay("steady", seed=2, mean=1).at[:1]).any()


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_is_in_order_and_costs_what_was_asked(name: str) -> None:
    trace = replay(name, seed=1, mean=2.0)
    assert (np.diff(trace.at) >= 0).all()
    assert trace.at[-1] <= trace.seconds
    assert (trace.work > 0).all()
    if name in {"steady", "diurnal", "catalogue-lots"}:
        assert trace.work.mean() == pytest.approx(2.0, rel=0.05)


def test_a_fleet_goes_to_zero_and_comes_back() -> None:
    lots = replay("catalogue-lots", seed=1, mean=MEAN)
    found = run(lots, SecondsOfWork(300, MACHINE.slots, MEAN), minimum=0)
    sizes = [size for _, size in found.sizes]
    assert sizes[-1] == 0
    assert sum(a == 0 and b > 0 for a, b in pairwise(sizes)) == 6
    assert found.wait(100) < 3600


@pytest.mark.parametrize(
    ("load", "present", "wanted"),
    [
        pytest.param(0.0, 1, 0, id="nothing to do for long"),
        pytest.param(0.2, 0, 1, id="from zero"),
        pytest.param(3.1, 3, 3, id="within the tolerance"),
        pytest.param(3.4, 3, 4, id="more"),
        pytest.param(50.0, 2, 6, id="not all at once"),
        pytest.param(50.0, 8, 12, id="not above the maximum"),
        pytest.param(1.0, 8, 1, id="fewer"),
    ],
)
def test_one_decision(load: float, present: int, wanted: int) -> None:
    scaler = Scaler(0, MAXIMUM, cooldown=300, stabilisation=0)
    assert scaler.decide(1000.0, load, present) == wanted


def test_a_fleet_shrinks_to_what_was_wanted_within_the_window() -> None:
    scaler = Scaler(0, MAXIMUM, cooldown=300, stabilisation=60)
    assert scaler.decide(0, 6.0, 6) == 6
    assert scaler.decide(15, 2.0, 6) == 6
    assert scaler.decide(61, 2.0, 6) == 2


def test_seconds_of_work_follow_the_photos() -> None:
    policy = SecondsOfWork(target=10, slots=2, guess=1.0)
    assert policy.load(40, busy=0) == 2.0
    for _ in range(300):
        policy.finished(3.0)
    assert policy.load(40, busy=0) == pytest.approx(6.0)


def test_a_fleet_that_keeps_up_is_kept() -> None:
    policy = SecondsOfWork(target=10, slots=2, guess=1.0, utilisation=0.8)
    assert [policy.load(8, busy=8) for _ in range(8)][-1] == pytest.approx(8 / 1.6)
    assert QueueLength(20).load(8, busy=8) == 0.4
