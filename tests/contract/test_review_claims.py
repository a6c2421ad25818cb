"""Who has which item: leases, races, skips, reassigning, over SQLite and Postgres."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from packshot.errors import AlreadyDecided, ClaimLost, ItemTaken, NotAllowed, NotFound
from packshot.store.audit import Audit
from packshot.store.persons import Person, Role
from packshot.store.review_items import Decision, Filters, Hold, ReviewStatus, Ruling
from packshot.store.tickets import Artifact
from tests.support.review_bench import LEASE, ReviewBench

APPROVE = Ruling(decision=Decision.APPROVED)


def at_once(count: int, action: Callable[[int], Any]) -> list[Any]:
    """Run `action` in that many threads, all starting together."""
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        start.wait()
        return action(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_a_claimed_item_is_one_persons(bench: ReviewBench) -> None:
    ann, bob = bench.person("ann"), bench.person("bob")
    claim = bench.reviews.claim(bench.review_of(bench.queued()), ann)
    assert (claim.item.status, claim.item.holder) == (ReviewStatus.CLAIMED, ann.id)
    assert claim.until == claim.item.lease_until == bench.clock.now + LEASE
    with pytest.raises(ItemTaken, match="Ann is working on this item"):
        bench.reviews.claim(claim.item.id, bob)
    assert bench.reviews.claim_next(bob) is None


def test_a_second_page_of_the_same_person_takes_the_item_from_the_first(bench: ReviewBench) -> None:
    ann = bench.person()
    first = bench.held(ann, bench.queued("one"))
    second = bench.reviews.claim(first.review, ann).hold
    assert bench.reviews.release(first) is False
    with pytest.raises(ClaimLost):
        bench.reviews.decide(first, APPROVE, ann)
    assert bench.reviews.renew(second) == bench.clock.now + LEASE


def test_fifty_reviewers_who_claim_at_once_get_fifty_items(bench: ReviewBench) -> None:
    people = [bench.person(f"p{number}") for number in range(50)]
    for _ in range(60):
        bench.queued()
    claims = at_once(50, lambda number: bench.reviews.claim_next(people[number]))
    assert all(claims)
    assert len({claim.item.id for claim in claims}) == 50
    assert {claim.item.holder for claim in claims} == {person.id for person in people}
    assert bench.reviews.count().number == 10


def test_fifty_reviewers_and_ten_items_leave_forty_without(bench: ReviewBench) -> None:
    ann = bench.person()
    for _ in range(10):
        bench.queued()
    claims = at_once(50, lambda _: bench.reviews.claim_next(ann))
    items = [claim.item.id for claim in claims if claim]
    assert (len(items), len(set(items))) == (10, 10)


def test_of_fifty_who_want_one_item_one_gets_it(bench: ReviewBench) -> None:
    people = [bench.person(f"p{number}") for number in range(50)]
    review = bench.review_of(bench.queued())

    def claim(number: int) -> Hold | None:
        try:
            return bench.reviews.claim(review, people[number]).hold
        except ItemTaken:
            return None

    holds = [hold for hold in at_once(50, claim) if hold]
    assert len(holds) == 1
    assert bench.reviews.renew(holds[0])


def test_a_lease_lives_while_it_is_renewed_and_ends_by_itself(bench: ReviewBench) -> None:
    ann, bob = bench.person("ann"), bench.person("bob")
    hold = bench.held(ann)
    for _ in range(3):
        bench.clock.now += LEASE - timedelta(seconds=1)
        bench.reviews.renew(hold)
        assert bench.reviews.expire() == 0
    bench.clock.now += LEASE
    assert bench.reviews.expire() == 1
    item = bench.reviews.get(hold.review)
    assert (item.status, item.holder, item.lease_until) == (ReviewStatus.OPEN, None, None)
    with pytest.raises(ClaimLost):
        bench.reviews.renew(hold)
    assert bench.reviews.claim(hold.review, bob).item.holder == bob.id


@pytest.mark.parametrize(
    "take",
    [
        pytest.param(lambda reviews, review, by: reviews.claim(review, by), id="by name"),
        pytest.param(lambda reviews, _, by: reviews.claim_next(by), id="as the next one"),
    ],
)
def test_a_lease_that_ended_is_taken_before_anybody_has_put_it_back(
    bench: ReviewBench, take: Callable[[Any, UUID, Person], Any]
) -> None:
    ann, bob = bench.person("ann"), bench.person("bob")
    lost = bench.held(ann)
    bench.clock.now += LEASE
    assert take(bench.reviews, lost.review, bob).item.holder == bob.id
    with pytest.raises(ClaimLost):
        bench.reviews.decide(lost, APPROVE, ann)
    assert bench.reviews.get(lost.review).holder == bob.id


def test_a_lease_that_ended_and_that_nobody_wanted_can_still_be_decided(bench: ReviewBench) -> None:
    ann = bench.person()
    hold = bench.held(ann)
    bench.clock.now += 2 * LEASE
    assert bench.reviews.decide(hold, APPROVE, ann).item.decided_by == ann.id


def test_a_released_item_is_the_next_ones(bench: ReviewBench) -> None:
    ann, bob = bench.person("ann"), bench.person("bob")
    hold = bench.held(ann)
    assert bench.reviews.release(hold) is True
    assert bench.reviews.release(hold) is False
    claim = bench.reviews.claim_next(bob)
    assert claim is not None
    assert claim.item.id == hold.review
    assert bench.reviews.release(hold) is False
    assert bench.reviews.get(hold.review).holder == bob.id


def test_a_skipped_item_goes_to_somebody_else(bench: ReviewBench) -> None:
    ann, bob = bench.person("ann"), bench.person("bob")
    hold = bench.held(ann, bench.queued("one"))
    bench.queued("two")
    bench.reviews.skip(hold, ann)
    second = bench.reviews.claim_next(ann)
    assert second is not None
    assert second.item.job_id == "two"
    assert bench.reviews.claim_next(ann) is None
    other = bench.reviews.claim_next(bob)
    assert other is not None
    assert other.item.id == hold.review
    bench.reviews.release(other.hold)
    bench.clock.now += timedelta(hours=12)
    again = bench.reviews.claim_next(ann, Filters(sku="SKU-one"))
    assert again is not None
    bench.reviews.skip(again.hold, ann)  # a second time is no error
    assert bench.reviews.claim(hold.review, ann), "by name it can be taken all the same"


def test_filters_hold_for_the_next_item_too(bench: ReviewBench) -> None:
    bench.queued("one")
    bench.queued("two", codes=("blurred",))
    claim = bench.reviews.claim_next(bench.person(), Filters(reason="blurred"))
    assert claim is not None
    assert claim.item.job_id == "two"


def test_a_lead_gives_an_item_to_somebody_and_back_to_the_queue(bench: ReviewBench) -> None:
    ann, bob = bench.person("ann"), bench.person("bob")
    lead = bench.person("lea", Role.LEAD)
    hold = bench.held(ann)
    assert bench.reviews.reassign(hold.review, bob, lead).holder == bob.id
    with pytest.raises(ClaimLost):
        bench.reviews.decide(hold, APPROVE, ann)
    assert bench.reviews.reassign(hold.review, None, lead).status is ReviewStatus.OPEN
    entries, _ = Audit(bench.engine).page(subject=f"review:{hold.review}")
    assert [(entry.login, entry.before, entry.after) for entry in entries] == [
        ("lea", {"holder": str(bob.id)}, {"holder": None}),
        ("lea", {"holder": str(ann.id)}, {"holder": str(bob.id)}),
    ]
    bench.reviews.decide(bench.reviews.claim(hold.review, ann).hold, APPROVE, ann)
    with pytest.raises(AlreadyDecided):
        bench.reviews.reassign(hold.review, bob, lead)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda b, by, hold: b.reviews.claim(hold.review, by), id="claim"),
        pytest.param(lambda b, by, _: b.reviews.claim_next(by), id="claim_next"),
        pytest.param(lambda b, by, hold: b.reviews.decide(hold, APPROVE, by), id="decide"),
        pytest.param(lambda b, by, _: b.reviews.accept_all([], by), id="accept_all"),
        pytest.param(lambda b, by, hold: b.reviews.reassign(hold.review, None, by), id="reassign"),
    ],
)
def test_a_viewer_only_looks(bench: ReviewBench, call: Callable[..., Any]) -> None:
    hold = bench.held(bench.person())
    with pytest.raises(NotAllowed):
        call(bench, bench.person("vic", Role.VIEWER), hold)


def test_an_item_is_given_to_those_alone_who_may_review(bench: ReviewBench) -> None:
    review = bench.review_of(bench.queued())
    ann, lead = bench.person(), bench.person("lea", Role.LEAD)
    with pytest.raises(NotAllowed):
        bench.reviews.reassign(review, ann, ann)
    with pytest.raises(NotAllowed):
        bench.reviews.reassign(review, bench.person("vic", Role.VIEWER), lead)


def test_an_unknown_item_is_named_so(bench: ReviewBench) -> None:
    ann, hold = bench.person(), Hold(uuid4(), uuid4(), 1)
    for call in (
        lambda: bench.reviews.claim(hold.review, ann),
        lambda: bench.reviews.renew(hold),
        lambda: bench.reviews.decide(hold, APPROVE, ann),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_drawn_matte_is_kept_as_a_version_and_only_by_the_holder(bench: ReviewBench) -> None:
    hold = bench.held(bench.person())
    drawn = Artifact("matte_edit", "work/ab/edit.png", "image/png", 3, "0" * 64)
    assert bench.reviews.keep_matte(hold, drawn) == 1
    assert bench.reviews.keep_matte(hold, drawn) == 2
    bench.reviews.release(hold)
    with pytest.raises(ClaimLost):
        bench.reviews.keep_matte(hold, drawn)
