"""Finding jobs over SQLite and Postgres: both find the same."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text, update

from packshot.contract import Step
from packshot.errors import CorruptImage, Refused
from packshot.store.search import Query, Search
from packshot.store.tables import JobRow, JobStatus
from tests.support.review_bench import ReviewBench


@pytest.fixture
def filled(bench: ReviewBench) -> ReviewBench:
    bench.queued("front/ABC-123", sku="ABC123", category=7)
    bench.queued("plain", status=JobStatus.ACCEPTED, source="live-shop", codes=())
    row = bench.queued("gone", sku="ZZ 9")
    with bench.engine.begin() as connection:
        # As the release before left it: without words.
        connection.execute(update(JobRow).where(JobRow.id == row).values(words=None))
    return bench


def found(bench: ReviewBench, **query: Any) -> set[str]:
    lines, after = Search(bench.engine).page(Query(**query))
    assert after is None
    return {line.job_id for line in lines}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param({}, {"front/ABC-123", "plain", "gone"}, id="everything"),
        pytest.param({"text": "abc"}, {"front/ABC-123"}, id="beginning of the job id"),
        pytest.param({"text": "ABC123"}, {"front/ABC-123"}, id="sku"),
        pytest.param({"text": "BC"}, set(), id="not in the middle of a word"),
        pytest.param({"text": "白兔"}, {"front/ABC-123", "plain"}, id="text on the picture"),
        pytest.param({"text": "兔 227"}, {"front/ABC-123", "plain"}, id="two words"),
        pytest.param({"text": "白兔 abc"}, {"front/ABC-123"}, id="both have to be there"),
        pytest.param({"text": "white"}, {"front/ABC-123", "plain"}, id="brand"),
        pytest.param({"text": "东西7"}, {"front/ABC-123"}, id="chinese category"),
        pytest.param({"text": "thing 504"}, {"plain"}, id="english category"),
        pytest.param({"text": "front.jpg"}, {"front/ABC-123", "plain"}, id="file name"),
        pytest.param({"text": "ZZ 9"}, {"gone"}, id="sku of an older job"),
        pytest.param({"text": "gone"}, {"gone"}, id="name of an older job"),
        pytest.param({"text": "%"}, set(), id="a sign of LIKE"),
        pytest.param({"text": "':* | q"}, set(), id="signs of a query"),
        pytest.param({"text": "   "}, {"front/ABC-123", "plain", "gone"}, id="nothing"),
        pytest.param({"sku": "ABC123"}, {"front/ABC-123"}, id="exact sku"),
        pytest.param({"sku": "ABC"}, set(), id="half a sku"),
        pytest.param({"source": "live-shop"}, {"plain"}, id="source"),
        pytest.param({"status": "review"}, {"front/ABC-123", "gone"}, id="status"),
        pytest.param({"status": "review", "text": "abc"}, {"front/ABC-123"}, id="together"),
    ],
)
def test_finding(filled: ReviewBench, query: dict[str, Any], names: set[str]) -> None:
    assert found(filled, **query) == names


def test_a_job_is_found_by_its_own_id(bench: ReviewBench) -> None:
    row = bench.queued("one")
    bench.queued("two")
    assert found(bench, text=str(row)) == {"one"}
    assert found(bench, text=str(uuid4())) == set()


def test_a_job_that_is_not_done_is_found_by_its_names(bench: ReviewBench) -> None:
    row = bench.ledger.submit(bench.views.by_id(bench.queued("x")).request.model_copy(
        update={"job_id": "fresh/77"}
    )).id  # fmt: skip
    assert found(bench, text="fresh") == {"fresh/77"}
    bench.ledger.fail(bench.ledger.begin(row, Step.PREPARE, worker="w"), CorruptImage("No."))
    (line,), _ = Search(bench.engine).page(Query(text="fresh"))
    assert (line.status, line.code, line.photo) == ("failed", "corrupt_image", None)


def test_pages_go_from_the_newest_to_the_oldest(bench: ReviewBench) -> None:
    for number in range(7):
        bench.queued(str(number))
    search, seen, after = Search(bench.engine), [], None
    while True:
        lines, after = search.page(Query(source="tests"), after=after, limit=3)
        seen += [line.job_id for line in lines]
        if after is None:
            break
    assert seen == list("6543210")
    with pytest.raises(Refused, match="position"):
        search.page(Query(), after="x")


def test_a_line_shows_what_the_list_needs(bench: ReviewBench) -> None:
    row = bench.queued("one", category=7)
    (line,), _ = Search(bench.engine).page(Query())
    assert (line.id, line.sku, line.lane, line.status) == (row, "SKU-one", "bulk", "review")
    assert line.category is not None
    assert (line.category["zh"], line.photo) == ("东西7", "work/1.png")


@pytest.mark.services
def test_postgres_looks_the_words_up_in_their_index(postgres_ledger: str) -> None:
    from packshot.store.engine import open_engine

    engine = open_engine(postgres_ledger)
    query = Search(engine)._filtered(Query(text="abc 茶")).order_by(JobRow.id.desc())
    with engine.connect() as connection:
        connection.execute(text("SET enable_seqscan = off"))
        compiled = query.compile(engine, compile_kwargs={"literal_binds": True})
        plan = str(connection.exec_driver_sql(f"EXPLAIN {compiled}".replace("%", "%%")).all())
    engine.dispose()
    assert "ix_jobs_words" in plan
