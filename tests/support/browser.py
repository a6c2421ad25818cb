"""The machine's own Chromium, for tests of pages."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.fixtures import need
from tests.support.server import NotAvailable

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Quiet start: no updates, no first-run page, no shared memory that a container may lack.
_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@contextmanager
def chromium() -> Iterator["Browser"]:
    """Chromium, without a window. Raises `NotAvailable`."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise NotAvailable(f"playwright is not installed ({error})") from error
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        raise NotAvailable("neither chromium nor google-chrome is installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path, chromium_sandbox=False, args=list(_FLAGS)
        )
        yield browser
        browser.close()


@contextmanager
def sitting(
    browser: "Browser", base: str, cookies: Mapping[str, str], **options: Any
) -> Iterator[tuple["Page", list[str]]]:
    """A window of somebody with these cookies for `base`, and what the browser complains about.

    `options` are Playwright's of a context.
    """
    context = browser.new_context(**options)
    context.add_cookies(
        [{"name": name, "value": value, "url": base} for name, value in cookies.items()]
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page, complaints
    finally:
        context.close()


@pytest.fixture(scope="module")
def browser(pytestconfig: pytest.Config) -> Iterator["Browser"]:
    """One Chromium for the tests of a file."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(chromium())
        except NotAvailable as error:
            need(pytestconfig, "Chromium", str(error))
        yield found
