"""The machine's own Chromium, for tests of pages."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.fixtures import need

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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


@pytest.fixture(scope="module")
def browser(pytestconfig: pytest.Config) -> Iterator["Browser"]:
    """Chromium, without a window."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        need(pytestconfig, "Chromium", f"playwright is not installed ({error})")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        need(pytestconfig, "Chromium", "neither chromium nor google-chrome is installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path, chromium_sandbox=False, args=list(_FLAGS)
        )
        yield browser
        browser.close()
