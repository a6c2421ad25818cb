"""What a reviewer does in a day besides deciding one item: by keyboard, in Chromium."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from packshot.store.tables import JobStatus
from tests.console.conftest import Console
from tests.console.visiting import at_console, claimed
from tests.support.review_bench import LEASE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.services


@pytest.fixture
def second(console: Console, tmp_path: Path) -> UUID:
    """One more item, behind the first; its job's id."""
    return console.bench.photographed(tmp_path / "second.png", "second").id


def _shown(page: "Page") -> str | None:
    return page.locator("main.desk").get_attribute("data-id")


def _said(console: Console, job: UUID) -> dict[str, object]:
    (item,) = console.bench.reviews.of_job(job)
    return item.decision or {}


def test_look_alikes_are_accepted_after_a_look_at_each(
    browser: "Browser", console: Console, second: UUID, tmp_path: Path
) -> None:
    third = console.bench.photographed(tmp_path / "third.png", "third").id
    with at_console(browser, console, "ray") as page:
        page.goto(f"{console.base}/queue")
        for key in ("j", "x", "l"):
            page.keyboard.press(key)
        preview = page.get_by_role("dialog")
        preview.get_by_text("Accept 3 items as they are?").wait_for()
        assert preview.locator("img").count() == 3
        preview.get_by_role("checkbox").nth(2).uncheck()
        preview.get_by_role("button", name="Accept as they are").click()
        page.get_by_text("2 accepted.").wait_for()
        assert page.locator("#items .item").count() == 1
    states = [console.bench.views.by_id(job).status for job in (console.job, second, third)]
    assert states == [JobStatus.ACCEPTED, JobStatus.ACCEPTED, JobStatus.REVIEW]
    assert _said(console, second)["bulk"] is True


def test_the_next_item_is_there_before_it_is_wanted(
    browser: "Browser", console: Console, second: UUID
) -> None:
    with at_console(browser, console, "ray") as page:
        with page.expect_response("**/queue/ahead*") as ahead:
            claimed(page, f"{console.base}/reviews/{console.review}")
        ahead.value.finished()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.keyboard.press("a")
        page.wait_for_selector(f"main[data-id='{console.bench.review_of(second)}']")
        assert page.locator("#photo").evaluate(
            "picture => picture.complete && picture.naturalWidth"
        )
        assert not [url for url in asked if "/reviews/" in url and "/api/" not in url]
        assert page.url.endswith(str(console.bench.review_of(second)))
        claimed(page)


def test_what_is_skipped_is_not_offered_again(
    browser: "Browser", console: Console, second: UUID
) -> None:
    with at_console(browser, console, "ray") as page:
        claimed(page, f"{console.base}/queue/next")
        assert _shown(page) == str(console.review)
        page.keyboard.press("s")
        page.wait_for_selector(f"main[data-id='{console.bench.review_of(second)}']")
        # Another tab knows nothing of what this one has passed over; the store does.
        other = page.context.new_page()
        other.goto(f"{console.base}/queue")
        other.keyboard.press("Enter")
        other.wait_for_url("**/queue")
        claimed(page)
        page.keyboard.press("s")
        page.wait_for_url("**/queue")
    with at_console(browser, console, "lea") as page:
        claimed(page, f"{console.base}/queue/next")
        assert _shown(page) == str(console.review), "somebody else gets it"


@pytest.mark.parametrize(
    ("key", "decision", "title"),
    [
        ("r", "rejected", "Why is it rejected?"),
        ("b", "sent_back", "Why is another photo needed?"),
    ],
)
def test_refusing_takes_a_reason_and_a_note(
    browser: "Browser", console: Console, key: str, decision: str, title: str
) -> None:
    with at_console(browser, console, "ray") as page:
        claimed(page, f"{console.base}/reviews/{console.review}")
        page.keyboard.press(key)
        page.get_by_role("dialog", name=title).wait_for()
        page.keyboard.press("3")
        page.keyboard.press("Tab")
        page.keyboard.type("Glare on the label.")
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**/queue")
    assert console.bench.views.by_id(console.job).status == JobStatus.REJECTED
    said = _said(console, console.job)
    assert (said["decision"], said["reason"]) == (decision, "unusable_photo")
    assert said["note"] == "Glare on the label."
    assert [event["type"] for event in console.bench.events()][-1] == "job.reviewed"


def test_a_lease_that_ends_while_the_page_is_open(browser: "Browser", console: Console) -> None:
    lea = console.bench.people.get("lea")
    with at_console(browser, console, "ray", expected=("409",)) as page:
        page.clock.install()
        claimed(page, f"{console.base}/reviews/{console.review}")
        # The lid was closed: no renewal, and somebody else took what had become free.
        console.clock.ahead = LEASE + timedelta(seconds=1)
        console.bench.reviews.claim(console.review, lea)
        page.clock.fast_forward("06:00")
        alert = page.get_by_role("alert")
        alert.get_by_text("Your claim on this item has ended").wait_for()
        assert page.locator("#approve").is_disabled()
        page.keyboard.press("a")
        alert.get_by_role("button", name="Claim it again").click()
        alert.get_by_text("Lea is working on this item.").wait_for()
    assert console.bench.reviews.get(console.review).holder == lea.id


def test_a_lease_is_renewed_while_the_page_is_open(browser: "Browser", console: Console) -> None:
    with at_console(browser, console, "ray") as page:
        page.clock.install()
        claimed(page, f"{console.base}/reviews/{console.review}")
        first = console.bench.reviews.get(console.review).lease_until
        assert first
        console.clock.ahead = LEASE / 2
        with page.expect_response("**/renew"):
            page.clock.fast_forward("02:00")
        until = console.bench.reviews.get(console.review).lease_until
        assert until
        assert until - first > LEASE / 3


def test_what_is_marked_is_computed_anew(browser: "Browser", console: Console) -> None:
    with at_console(browser, console, "ray") as page:
        page.goto(f"{console.base}/reviews/{console.review}/matte")
        page.wait_for_selector("main[data-ready='1']")
        page.keyboard.press("r")
        page.get_by_text("Mark something as unknown first (U).").wait_for()
        box = page.locator("#stage").bounding_box()
        assert box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.keyboard.press("u")
        page.mouse.move(x - 60, y)
        page.mouse.down()
        page.mouse.move(x + 60, y, steps=6)
        page.mouse.up()
        page.get_by_text("Changes not saved yet: 1.").wait_for()
        with page.expect_response("**/matte/recompute*") as answer:
            page.keyboard.press("r")
        assert answer.value.status == 200
        page.get_by_text("Changes not saved yet: 2.").wait_for()
        page.keyboard.press("Control+s")
        page.wait_for_url(f"**/reviews/{console.review}")
        claimed(page)
    kept = [one for one in console.bench.views.by_id(console.job).artifacts if one.step == "review"]
    assert [(one.name, one.version) for one in kept] == [("matte_edit", 1)]


def test_a_lead_hands_an_item_over(browser: "Browser", console: Console) -> None:
    ray = console.bench.people.get("ray")
    with at_console(browser, console, "lea") as page:
        claimed(page, f"{console.base}/reviews/{console.review}")
        page.keyboard.press("p")
        page.keyboard.type("Ray")
        page.get_by_role("button", name="Give").click()
        page.wait_for_url("**/queue")
    assert console.bench.reviews.get(console.review).holder == ray.id
    with at_console(browser, console, "ray") as page:
        claimed(page, f"{console.base}/reviews/{console.review}")
        assert page.get_by_role("button", name="Give").count() == 0


def test_a_link_signs_in_and_leaves_no_secret_behind(browser: "Browser", console: Console) -> None:
    secret = console.bench.people.one_time("lea")
    with at_console(browser, console, None) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{console.base}/welcome#{secret}")
        assert page.url == f"{console.base}/welcome"
        page.get_by_role("button", name="中文").click()
        page.get_by_role("button", name="登录").click()
        page.wait_for_url("**/queue")
        page.go_back()
        assert secret not in page.url
        assert not [url for url in asked if secret in url.split("#")[0]]
