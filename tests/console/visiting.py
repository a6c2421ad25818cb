"""Somebody in front of the console in Chromium; whatever the browser complains about fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.console.conftest import Console
from tests.support.browser import sitting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: A laptop's window.
WINDOW = {"width": 1280, "height": 800}


@contextmanager
def at_console(
    browser: "Browser",
    console: Console,
    login: str | None,
    *,
    language: str = "en",
    expected: tuple[str, ...] = (),
    **options: Any,
) -> Iterator["Page"]:
    """A page of somebody who is signed in, or of nobody.

    Args:
        browser: Chromium.
        console: what it looks at.
        login: one of the console's people; None for nobody.
        language: of the pages.
        expected: parts of complaints that belong to the test, such as an answer's status.
        options: of Playwright's context.
    """
    person = console.bench.people.get(login) if login else None
    cookies = {**console.visit(person).cookies, "packshot_language": language}
    with sitting(browser, console.base, cookies, **{"viewport": WINDOW, **options}) as (page, said):
        yield page
    assert [one for one in said if not any(part in one for part in expected)] == []


def claimed(page: "Page", address: str | None = None) -> None:
    """Wait until the item on this page is ours; go to it first where an address is given."""
    if address:
        page.goto(address)
    page.wait_for_selector("main[data-claimed='1']")
