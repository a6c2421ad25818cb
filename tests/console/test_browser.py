"""A reviewer's day in a real browser; whatever the browser complains about fails the test."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from packshot.store.tables import JobStatus
from tests.console.conftest import Console
from tests.console.visiting import at_console, claimed
from tests.support.review_bench import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.services


def test_a_day_by_keyboard(browser: "Browser", console: Console) -> None:
    before = {one.name: one.sha256 for one in console.bench.views.by_id(console.job).artifacts}
    with at_console(browser, console, None) as page:
        page.goto(console.base)
        page.get_by_label("Login").fill("ray")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/queue")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_selector("main[data-claimed='1']")

        page.keyboard.press("m")
        page.wait_for_selector("main[data-ready='1']")
        page.keyboard.press("b")  # takes away what the machine took for the product
        _stroke(page)
        page.keyboard.press("Control+z")
        page.keyboard.press("Control+Shift+z")
        page.keyboard.press("Control+s")
        page.wait_for_url("**/reviews/*")
        page.wait_for_selector("main[data-claimed='1']")

        page.keyboard.press("e")
        page.keyboard.press("Control+a")
        page.keyboard.type("PUT RIGHT")
        page.keyboard.press("Escape")
        page.keyboard.press("a")
        page.wait_for_url("**/queue")
        page.goto(f"{console.base}/jobs/{console.job}")
        page.get_by_alt_text("main, version 2").wait_for()

    job = console.bench.views.by_id(console.job)
    assert job.status == JobStatus.ACCEPTED
    assert job.result
    assert job.result["text"]["lines"][0]["text"] == "PUT RIGHT"
    assert {"text", "matte"} <= set(job.result["provenance"]["human"])
    newest = {one.name: (one.version, one.sha256) for one in job.artifacts}
    assert newest["main"][0] == 2
    assert newest["main"][1] != before["main"]
    assert [event["type"] for event in job.events].count("job.reviewed") == 1


def test_two_race_for_one_item(browser: "Browser", console: Console) -> None:
    address = f"{console.base}/reviews/{console.review}"
    with (
        at_console(browser, console, "ray") as first,
        at_console(browser, console, "lea", expected=("409",)) as second,
    ):
        claimed(first, address)
        second.goto(address)
        alert = second.get_by_role("alert")
        alert.wait_for()
        assert "Somebody else is on this item" in alert.inner_text()
        assert second.locator("#approve").is_disabled()
        # The first one closes its page: the item is free at once.
        first.close()
        second.get_by_role("button", name="Claim it again").click()
        claimed(second)


def test_a_claim_that_ended_says_so(browser: "Browser", console: Console) -> None:
    with at_console(browser, console, "ray", expected=("409",)) as page:
        claimed(page, f"{console.base}/reviews/{console.review}")
        lea = console.bench.people.get("lea")
        console.bench.reviews.reassign(console.review, lea, lea)
        page.keyboard.press("a")
        page.get_by_role("alert").wait_for()
    assert console.bench.views.by_id(console.job).status == JobStatus.REVIEW


def _stroke(page: "Page", *, half_way: Callable[[], None] = lambda: None) -> None:
    """Paint to the right, from the middle of the stage."""
    box = page.locator("#stage").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=4)
    half_way()
    page.mouse.move(x + 60, y + 20, steps=4)
    page.mouse.up()


def test_strokes_survive_a_lost_connection(browser: "Browser", console: Console) -> None:
    lost = ("ERR_INTERNET_DISCONNECTED",)
    with at_console(browser, console, "ray", expected=lost) as page:
        page.goto(f"{console.base}/reviews/{console.review}/matte")
        page.wait_for_selector("main[data-ready='1']")
        page.wait_for_function("!document.getElementById('state').classList.contains('bad')")
        _stroke(page, half_way=lambda: page.context.set_offline(True))
        page.keyboard.press("Control+s")
        page.get_by_text("No connection. Your strokes are kept").wait_for()
        page.context.set_offline(False)
        # Sent by itself as soon as the connection is back.
        page.wait_for_url(f"**/reviews/{console.review}")
    kept = console.bench.views.by_id(console.job).artifacts
    assert [one.version for one in kept if one.name == "matte_edit"] == [1]


def test_strokes_survive_a_reload(browser: "Browser", console: Console) -> None:
    with at_console(browser, console, "ray") as page:
        page.goto(f"{console.base}/reviews/{console.review}/matte")
        page.wait_for_selector("main[data-ready='1']")
        _stroke(page)
        page.get_by_text("Changes not saved yet: 1.").wait_for()
        page.reload()
        page.get_by_text("Strokes from before are back: 1.").wait_for()
