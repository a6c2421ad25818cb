"""The review queue's order, pages, filters and counts, over SQLite and Postgres."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text, update

from packshot.contract import Lane
from packshot.errors import NotFound, Refused
from packshot.store.review_items import COUNT_LIMIT, Count, Filters, ReviewStatus
from packshot.store.tables import ReasonRow, ReviewRow
from tests.support.review_bench import ReviewBench


def names(bench: ReviewBench, filters: Filters | None = None, **options: Any) -> list[str]:
    return [item.job_id for item in bench.reviews.page(filters, **options).items]


def test_the_order_is_lane_then_age_and_uncertainty(bench: ReviewBench) -> None:
    bench.queued("sure", confidence=0.9)
    bench.queued("unsure", confidence=0.1)
    bench.clock.now += timedelta(hours=3)
    bench.queued("later, but less sure", confidence=0.05)
    bench.queued("unknown", confidence=None)
    bench.clock.now += timedelta(hours=5)
    bench.queued("someone waits", lane=Lane.LIVE)
    assert names(bench) == [
        "someone waits", "unsure", "unknown", "later, but less sure", "sure"
    ]  # fmt: skip


def test_pages_follow_one_another_without_gap_or_repeat(bench: ReviewBench) -> None:
    for number in range(7):
        bench.queued(f"{number}", lane=Lane.LIVE if number % 3 == 0 else Lane.BULK)
    whole = names(bench)
    seen: list[str] = []
    after: str | None = None
    while True:
        page = bench.reviews.page(after=after, limit=3)
        seen += [item.job_id for item in page.items]
        after = page.next
        if after is None:
            break
    assert seen == whole
    assert len(set(seen)) == 7


def test_a_page_goes_on_where_it_was_although_its_head_was_taken(bench: ReviewBench) -> None:
    for number in range(6):
        bench.queued(str(number))
    first = bench.reviews.page(limit=2)
    bench.reviews.claim(first.items[0].id, bench.person())
    after = names(bench, after=first.next)
    assert after == [str(number) for number in range(2, 6)]


@pytest.mark.parametrize("cursor", ["", "x", "e30", "WzEsMiwzXQ", "[]"])
def test_a_made_up_position_is_refused(bench: ReviewBench, cursor: str) -> None:
    if cursor:
        with pytest.raises(Refused, match="position"):
            bench.reviews.page(after=cursor)
    else:
        assert bench.reviews.page(after=cursor).items == ()


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param(Filters(), {"old", "plain", "other"}, id="none"),
        pytest.param(Filters(reason="blurred"), {"other"}, id="reason"),
        pytest.param(Filters(reason="text_unsure"), {"old", "plain", "other"}, id="usual reason"),
        pytest.param(Filters(reason="nothing"), set(), id="unknown reason"),
        pytest.param(Filters(lane=Lane.LIVE), {"other"}, id="lane"),
        pytest.param(Filters(lane=Lane.BULK), {"old", "plain"}, id="other lane"),
        pytest.param(Filters(category=7), {"other"}, id="category"),
        pytest.param(Filters(sku="SKU-old"), {"old"}, id="sku"),
        pytest.param(Filters(source="live-shop"), {"other"}, id="source"),
        pytest.param(Filters(older_than=timedelta(hours=1)), {"old"}, id="old"),
        pytest.param(Filters(younger_than=timedelta(hours=1)), {"plain", "other"}, id="young"),
        pytest.param(Filters(confidence_from=0.5), {"plain"}, id="confident"),
        pytest.param(Filters(confidence_below=0.3), {"other", "old"}, id="not confident"),
        pytest.param(
            Filters(reason="text_unsure", source="tests", confidence_from=0.3),
            {"plain"},
            id="together",
        ),
    ],
)
def test_filters(bench: ReviewBench, filters: Filters, found: set[str]) -> None:
    bench.queued("old", confidence=None)
    bench.clock.now += timedelta(hours=2)
    bench.queued("plain", confidence=0.5)
    bench.queued(
        "other",
        codes=("text_unsure", "blurred"),
        confidence=0.2,
        category=7,
        source="live-shop",
        lane=Lane.LIVE,
    )
    assert set(names(bench, filters)) == found
    assert bench.reviews.count(filters) == Count(len(found), more=False)


def test_pages_of_one_reason_follow_one_another(bench: ReviewBench) -> None:
    for number in range(5):
        bench.queued(str(number), codes=("blurred", "text_unsure"))
        bench.queued(f"not {number}")
    filters = Filters(reason="blurred")
    first = bench.reviews.page(filters, limit=3)
    rest = bench.reviews.page(filters, after=first.next, limit=3)
    assert [item.job_id for item in (*first.items, *rest.items)] == list("01234")
    assert rest.next is None


def test_an_item_shows_what_the_list_needs(bench: ReviewBench) -> None:
    row = bench.queued("one", codes=("text_unsure", "blurred"), category=7)
    (item,) = bench.reviews.page().items
    assert (item.job, item.status, item.lane) == (row, ReviewStatus.OPEN, Lane.BULK)
    assert (item.source, item.job_id, item.sku) == ("tests", "one", "SKU-one")
    assert [reason.code for reason in item.reasons] == ["text_unsure", "blurred"]
    assert item.category is not None
    assert (item.category.en, item.photo, item.cutout) == ("thing 7", "work/1.png", None)
    assert (item.policy, item.created_at) == ("test-1", bench.clock.now)
    assert item.due_at == bench.clock.now + timedelta(days=1) * 0.75
    assert bench.reviews.get(item.id) == item
    with pytest.raises(NotFound):
        bench.reviews.get(uuid4())


def test_held_items_are_shown_to_those_who_ask(bench: ReviewBench) -> None:
    ann, bob = bench.person("ann"), bench.person("bob")
    for by in (ann, bob):
        bench.held(by)
    bench.queued("3")
    assert names(bench) == ["3"]
    assert names(bench, Filters(held_by=ann.id)) == ["1"]
    assert names(bench, Filters(with_held=True)) == ["1", "2", "3"]


def test_counting_stops_at_its_limit(bench: ReviewBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packshot.store.queue.COUNT_LIMIT", 3)
    assert COUNT_LIMIT == 1000
    for _ in range(3):
        bench.queued()
    assert bench.reviews.count() == Count(3, more=False)
    bench.queued()
    assert bench.reviews.count() == Count(3, more=True)


def test_facets_count_what_is_open_and_are_kept_for_a_moment(bench: ReviewBench) -> None:
    bench.queued(codes=("blurred", "text_unsure"), category=7, lane=Lane.LIVE)
    bench.queued(source="live-shop")
    bench.held(bench.person())
    found = bench.reviews.facets()
    assert (found.open, found.claimed) == (2, 1)
    assert {one.value: one.count for one in found.reasons} == {"text_unsure": 3, "blurred": 1}
    assert {one.value: one.count for one in found.lanes} == {"live": 1, "bulk": 1}
    assert {one.value: one.count for one in found.sources} == {"tests": 1, "live-shop": 1}
    assert {(one.value, one.label, one.label_zh) for one in found.categories} == {
        ("7", "thing 7", "东西7"),
        ("504", "thing 504", "东西504"),
    }
    bench.queued()
    bench.clock.now += timedelta(seconds=9)
    assert bench.reviews.facets() is found
    bench.clock.now += timedelta(seconds=1)
    assert bench.reviews.facets().open == 3


def test_alike_are_those_with_the_same_source_category_and_reasons(bench: ReviewBench) -> None:
    one = bench.queued("one")
    bench.queued("same")
    bench.queued("other reasons", codes=("text_unsure", "blurred"))
    bench.queued("other category", category=7)
    bench.queued("other source", source="live-shop")
    bench.held(bench.person(), bench.queued("held"))
    assert [item.job_id for item in bench.reviews.alike(bench.review_of(one))] == ["same"]


def test_what_the_release_before_queued_is_completed(bench: ReviewBench) -> None:
    """It knows none of the new columns: they hold their defaults, and no reason is indexed."""
    row = bench.queued("stranger", lane=Lane.LIVE)
    review = bench.review_of(row)
    bench.queued("own", lane=Lane.LIVE)
    with bench.engine.begin() as connection:
        connection.execute(text("DELETE FROM review_reasons"))
        connection.execute(
            update(ReviewRow)
            .where(ReviewRow.id == review)
            .values(source=None, sku=None, category=None, policy=None, priority=1)
        )
    assert names(bench) == ["own", "stranger"]
    bench.reviews.expire()
    assert names(bench) == ["stranger", "own"]
    assert names(bench, Filters(source="tests", category=504, lane=Lane.LIVE)) == [
        "stranger", "own"
    ]  # fmt: skip
    assert names(bench, Filters(reason="text_unsure")) == ["stranger"]
    bench.reviews.expire()
    with bench.engine.connect() as connection:
        assert len(connection.execute(ReasonRow.__table__.select()).all()) == 1
