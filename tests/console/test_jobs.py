"""Any job: found by search, retried and cancelled by those who may, and written into the log."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from packshot.contract import Image, Job, Step
from packshot.errors import NotFound
from packshot.store.tables import JobStatus
from tests.console.conftest import Console
from tests.console.visiting import at_console

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.services


def _job(name: str, **changes: Any) -> Job:
    fields = {"version": 1, "source": "shop", "job_id": name, "sku": f"SKU-{name}"}
    return Job.model_validate({**fields, "image": Image(uri="file:///no.png"), **changes})


def _found(page: "Page") -> list[str]:
    return page.locator("tbody tr td:first-child").all_inner_texts()


def _status(console: Console, job: UUID) -> str:
    return console.bench.views.by_id(job).status


def test_jobs_are_found_by_words_sku_source_and_status(
    browser: "Browser", console: Console
) -> None:
    for name in ("spring-tea", "winter-tea"):
        console.bench.ledger.submit(_job(name))
    with at_console(browser, console, "vera") as page:
        page.goto(f"{console.base}/jobs")
        assert sorted(_found(page)) == ["photo", "spring-tea", "winter-tea"]
        page.get_by_label("Text, name or SKU").fill("tea spring")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=tea+spring*")
        assert _found(page) == ["spring-tea"]
        page.goto(f"{console.base}/jobs?source=shop&status=queued&sku=SKU-winter-tea")
        assert _found(page) == ["winter-tea"]
        page.goto(f"{console.base}/jobs")
        page.get_by_label("Status").select_option("review")
        page.get_by_role("button", name="Search").click()
        page.wait_for_url("**status=review*")
        assert _found(page) == ["photo"]
        page.get_by_role("link", name="photo").click()
        page.get_by_role("heading", name="A1").wait_for()
        assert page.get_by_role("button", name="Retry").count() == 0


def test_retry_and_cancel_are_for_reviewers_and_are_written_down(
    browser: "Browser", console: Console, tmp_path: Path
) -> None:
    ledger = console.bench.ledger
    late = tmp_path / "late.png"
    failed = ledger.submit(_job("late", image=Image(uri=str(late)), review="always")).id
    ledger.fail(ledger.begin(failed, Step.PREPARE, worker="w"), NotFound("There is no photo."))
    stuck = ledger.submit(_job("stuck")).id
    with at_console(browser, console, "vera") as page:
        for job, button in ((failed, "Retry"), (stuck, "Cancel the job")):
            page.goto(f"{console.base}/jobs/{job}")
            assert page.get_by_role("button", name=button).count() == 0
    late.write_bytes((tmp_path / "photo.png").read_bytes())  # the producer has uploaded it
    with at_console(browser, console, "ray") as page:
        page.goto(f"{console.base}/jobs/{failed}")
        page.get_by_text("There is no photo.").first.wait_for()
        page.get_by_role("button", name="Retry").click()
        page.wait_for_selector("#status.review")
        page.goto(f"{console.base}/jobs/{stuck}")
        page.get_by_role("button", name="Cancel the job").click()
        page.wait_for_selector("#status.cancelled")
    assert [_status(console, job) for job in (failed, stuck)] == [
        JobStatus.REVIEW, JobStatus.CANCELLED
    ]  # fmt: skip
    with at_console(browser, console, "lea") as page:
        page.goto(f"{console.base}/audit")
        rows = page.locator("tbody tr").all_inner_texts()
    told = [row for row in rows if str(failed) in row or str(stuck) in row]
    assert [row.split("\t")[1:3] for row in told] == [["ray", "Cancelled"], ["ray", "Retried"]]
