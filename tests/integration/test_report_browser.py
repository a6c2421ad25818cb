"""The report in a real browser: from a file, without a network, on wide and narrow screens."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from packshot.results import Signal
from tests.unit.report import report_jobs as made
from workers.report import RunFacts, write_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with an accepted photo, one for review and a failed one."""
    reason = Signal(code="blurred", message="It is blurred.", value=12.0, threshold=20.0)
    name = "a-name-without-any-place-to-break-it-" * 4 + ".jpg"
    jobs = [
        made.finished_job(found=made.text("<b>ACME</b>", "纯牛奶")),
        made.finished_job(name, found=made.text("W" * 90), reasons=(reason,), sku="S" * 100),
        made.failed_job(),
    ]
    path = tmp_path_factory.mktemp("report") / "report.html"
    facts = RunFacts(started=made.STARTED, seconds=3.0, photos=3, peak_memory_mib=800)
    write_report(path, jobs, made.blobs(), facts=facts)
    return path


@pytest.fixture
def page(browser: "Browser", report: Path) -> Iterator["Page"]:
    """The report, opened; whatever the browser complains about fails the test."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(report.as_uri())
    yield page
    page.close()
    assert not complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_shows_its_pictures(page: "Page", width: int, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    natural = page.evaluate(
        "Promise.all([...document.images].map(i => i.decode().then(() => i.naturalWidth)))"
    )
    assert len(natural) == 8
    assert min(natural) > 0
    # A page that shows nothing compresses to a few kilobytes.
    assert len(page.screenshot()) > 20_000


def test_filter_and_search(page: "Page") -> None:
    shown = page.locator(".card:visible")
    page.locator(".chip", has_text="For review").click()
    assert shown.count() == 1
    page.locator(".chip", has_text="All").click()
    page.get_by_role("searchbox").fill("纯牛奶 acme")
    assert shown.count() == 1
    page.get_by_role("searchbox").fill("no such thing")
    assert shown.count() == 0
    page.get_by_role("button", name="Show all").click()
    assert shown.count() == 3


def test_a_box_lights_its_line(page: "Page") -> None:
    page.locator("#photo-1 .boxes polygon").first.hover()
    assert page.locator("#photo-1 .lines .lit .t").inner_text() == "<b>ACME</b>"


def test_compare_and_large_view(page: "Page") -> None:
    card = page.locator("#photo-1")
    card.get_by_text("Compare").click()
    card.get_by_label("Share of the photo").fill("80")
    assert card.locator(".before").is_visible()
    card.get_by_label("Enlarge the cut-out").click()
    dialog = page.get_by_role("dialog")
    assert dialog.locator("img").count() == 1
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
