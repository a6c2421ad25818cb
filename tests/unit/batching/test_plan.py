"""Which items run together, and when."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.plan import Item, Limits, Plan


def plan(*items: Item[str], size: int = 4, max_wait: float = 1.0) -> Plan[str]:
    made: Plan[str] = Plan(Limits(size, max_wait, head_start=10.0))
    for item in items:
        made.add(item)
    return made


def item(
    value: str, at: float, *, bucket: str = "x", live: bool = False, deadline: float | None = None
) -> Item[str]:
    return Item(value, bucket, at, live, deadline)


def values(batch: Sequence[Item[str]]) -> str:
    return "".join(one.value for one in batch)


STARTS = {
    "nothing waits": ([], math.inf),
    "the oldest has waited": ([item("a", 3.0), item("b", 3.5)], 4.0),
    "full": ([item(name, 3.0) for name in "abcd"], -math.inf),
    "four of two shapes are no batch": (
        [item("a", 1.0), item("b", 2.0), item("c", 3.0, bucket="y"), item("d", 3.0, bucket="y")],
        2.0,
    ),
    "a deadline is nearer": ([item("a", 3.0, deadline=3.2)], 3.2),
    "a deadline is further": ([item("a", 3.0, deadline=9.0)], 4.0),
}


@pytest.mark.parametrize(("items", "when"), STARTS.values(), ids=STARTS)
def test_when_a_batch_starts(items: list[Item[str]], when: float) -> None:
    assert plan(*items).due() == when


def test_a_deadline_leaves_time_for_the_batch_itself() -> None:
    made = plan(item("a", 3.0, deadline=3.8))
    made.ran("x", 0.5)
    assert made.due() == pytest.approx(3.3)


TAKEN = {
    "nothing is due": ([item("a", 0.0)], 0.5, ""),
    "what is there, when it is due": ([item("a", 0.0), item("b", 0.9)], 1.0, "ab"),
    "no more than fits": ([item(name, 0.0) for name in "abcde"], 0.0, "abcd"),
    "live goes first": ([item(name, 0.0) for name in "abcd"] + [item("L", 0.1, live=True)], 0.1,
                        "Labc"),
    "age beats live": ([item("a", 0.0), item("L", 10.5, live=True)] +
                       [item(name, 0.4) for name in "bcde"], 10.5, "abcd"),
    "the bucket of the most urgent": (
        [item("a", 0.0), item("L", 0.5, bucket="y", live=True)], 2.0, "L"),
    "never two shapes together": ([item("a", 0.0), item("b", 0.1, bucket="y")], 2.0, "a"),
}  # fmt: skip


@pytest.mark.parametrize(("items", "now", "batch"), TAKEN.values(), ids=TAKEN)
def test_what_is_taken(items: list[Item[str]], now: float, batch: str) -> None:
    assert values(plan(*items).take(now)) == batch


def test_what_did_not_fit_is_not_made_again() -> None:
    made = plan(*(item(name, 0.0) for name in "abcdefgh"), size=8)
    made.shrink("x", 8)
    assert values(made.take(0.0)) == "abcd"
    made.shrink("x", 1)
    assert values(made.take(0.0)) == "e"


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": 1, "max_wait": -1.0}])
def test_limits_that_make_no_batches(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="make no batches"):
        Limits(**wrong)  # type: ignore[arg-type] # the wrong values are the point


@given(load=st.integers(1, 6), size=st.integers(1, 4))
def test_bulk_work_is_never_starved(load: int, size: int) -> None:
    """A stream of live items that fills every batch holds a bulk item back for the head start."""
    made: Plan[int] = Plan(Limits(size, max_wait=0.0, head_start=10.0))
    made.add(Item(-1, "x", 0.0))
    left_at = math.inf
    for second in range(120):
        for number in range(load):
            made.add(Item(number, "x", float(second), live=True))
        if -1 in [one.value for one in made.take(float(second))]:
            left_at = second
            break
    # What was there before it, or counts as older, goes first: 10 s of the stream at most.
    assert left_at <= 10.0 * max(1.0, load / size) + 1
