"""A reviewer's day in a real browser; whatever the browser complains about fails the test."""

from typing import TYPE_CHECKING

import pytest

from packshot.store.tables import JobStatus
from tests.console.conftest import Console
from tests.support.review_bench import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.services


def _sign_in(browser: "Browser", console: Console, login: str) -> "Page":
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(console.base)
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue")
    return page


def _complaints(page: "Page") -> list[str]:
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def test_a_day_by_keyboard(browser: "Browser", console: Console) -> None:
    page = _sign_in(browser, console, "ray")
    complaints = _complaints(page)
    before = {one.name: one.sha256 for one in console.bench.views.by_id(console.job).artifacts}
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("main[data-claimed='1']")

    page.keyboard.press("m")
    page.wait_for_selector("main[data-ready='1']")
    page.keyboard.press("b")  # takes away what the machine took for the product
    box = page.locator("#stage").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 100, y)
    page.mouse.down()
    page.mouse.move(x + 100, y + 40, steps=8)
    page.mouse.up()
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

    job = console.bench.views.by_id(console.job)
    assert job.status == JobStatus.ACCEPTED
    assert job.result
    assert job.result["text"]["lines"][0]["text"] == "PUT RIGHT"
    assert {"text", "matte"} <= set(job.result["provenance"]["human"])
    newest = {one.name: (one.version, one.sha256) for one in job.artifacts}
    assert newest["main"][0] == 2
    assert newest["main"][1] != before["main"]
    assert [event["type"] for event in job.events].count("job.reviewed") == 1
    page.goto(f"{console.base}/jobs/{console.job}")
    assert (
        page.get_by_text("main · version 2").is_visible() or page.get_by_text("version 2").count()
    )
    assert not complaints


def test_two_race_for_one_item(browser: "Browser", console: Console) -> None:
    first, second = (_sign_in(browser, console, login) for login in ("ray", "lea"))
    address = f"{console.base}/reviews/{console.review}"
    first.goto(address)
    first.wait_for_selector("main[data-claimed='1']")
    second.goto(address)
    alert = second.get_by_role("alert")
    alert.wait_for()
    assert "Somebody else is on this item" in alert.inner_text()
    assert second.locator("#approve").is_disabled()
    # The first one closes its page: the item is free at once.
    first.close()
    second.get_by_role("button", name="Claim it again").click()
    second.wait_for_selector("main[data-claimed='1']")


def test_a_claim_that_ended_says_so(browser: "Browser", console: Console) -> None:
    page = _sign_in(browser, console, "ray")
    page.goto(f"{console.base}/reviews/{console.review}")
    page.wait_for_selector("main[data-claimed='1']")
    lea = console.bench.people.get("lea")
    console.bench.reviews.reassign(console.review, lea, lea)
    page.keyboard.press("a")
    page.get_by_role("alert").wait_for()
    assert console.bench.views.by_id(console.job).status == JobStatus.REVIEW


def test_strokes_survive_a_lost_connection(browser: "Browser", console: Console) -> None:
    page = _sign_in(browser, console, "ray")
    address = f"{console.base}/reviews/{console.review}/matte"
    page.goto(address)
    page.wait_for_selector("main[data-ready='1']")
    page.wait_for_function("!document.getElementById('state').classList.contains('bad')")
    box = page.locator("#stage").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y)
    page.mouse.down()
    page.mouse.move(x, y, steps=4)
    page.context.set_offline(True)
    page.mouse.move(x + 60, y, steps=4)
    page.mouse.up()
    page.keyboard.press("Control+s")
    page.get_by_text("No connection. Your strokes are kept").wait_for()
    page.context.set_offline(False)
    # Sent by itself as soon as the connection is back.
    page.wait_for_url(f"**/reviews/{console.review}")
    kept = console.bench.views.by_id(console.job).artifacts
    assert [one.version for one in kept if one.name == "matte_edit"] == [1]


def test_strokes_survive_a_reload(browser: "Browser", console: Console) -> None:
    page = _sign_in(browser, console, "ray")
    page.goto(f"{console.base}/reviews/{console.review}/matte")
    page.wait_for_selector("main[data-ready='1']")
    box = page.locator("#stage").bounding_box()
    assert box
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 360, box["y"] + 320, steps=4)
    page.mouse.up()
    page.get_by_text("1 changes, not saved yet.").wait_for()
    page.reload()
    page.get_by_text("1 strokes from before are back.").wait_for()
