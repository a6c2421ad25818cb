"""Every page against axe-core's rules, in both languages, light and dark.

axe finds what a program can find: names, roles, contrast, order. Keys are tested by using them.
"""

import re
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from packshot.console.words import LANGUAGES
from packshot.store.review_items import Decision, Ruling
from packshot.store.tables import JobStatus
from tests.console.conftest import Console
from tests.console.test_authorisation import LEAST
from tests.console.visiting import at_console, claimed
from tools.screens.shots import SHOTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.services

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
#: What keeps somebody from working; axe's lesser findings are matters of taste.
GRAVE = {"serious", "critical"}

#: A page with its frame; the frame is the same everywhere else.
WHOLE = "body"
#: Rules about colours: the only ones that a theme can break, and a language cannot.
COLOURS = ("color-contrast", "link-in-text-block")


def _at_once(page: "Page") -> None:
    """Nothing is done by a script there."""


def _help(page: "Page") -> None:
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")


def _refusing(page: "Page") -> None:
    claimed(page)
    page.keyboard.press("r")
    page.wait_for_selector("#reasons[open]")


def _choosing(page: "Page") -> None:
    claimed(page)
    page.keyboard.press("2")
    page.keyboard.press("c")
    page.wait_for_selector("#category-options:not([hidden])")


def _delivered(page: "Page") -> None:
    claimed(page)
    page.keyboard.press("3")


def _previewing(page: "Page") -> None:
    page.locator("#items input[type=checkbox]").first.check()
    page.get_by_role("button", name="⇧A").click()
    page.wait_for_selector("#bulk[open]")


def _painting(page: "Page") -> None:
    page.wait_for_selector("main[data-ready='1']")


#: Name -> the address, what is done there first, and the part that is examined.
PAGES: dict[str, tuple[str, Callable[["Page"], None], str]] = {
    "queue": ("/queue", _at_once, WHOLE),
    "help": ("/queue", _help, "#help"),
    "bulk": ("/queue", _previewing, "#bulk"),
    "nothing matches": ("/queue?sku=none", _at_once, "main"),
    "item": ("/reviews/{item}", claimed, WHOLE),
    "category and cut-out": ("/reviews/{item}", _choosing, "main"),
    "delivered": ("/reviews/{item}", _delivered, "#view"),
    "reject": ("/reviews/{item}", _refusing, "#reasons"),
    "decided": ("/reviews/{decided}", _at_once, "main"),
    "matte editor": ("/reviews/{item}/matte", _painting, WHOLE),
    "jobs": ("/jobs", _at_once, "main"),
    "no jobs": ("/jobs?q=none", _at_once, "main"),
    "job": ("/jobs/{job}", _at_once, "main"),
    "failed job": ("/jobs/{failed}", _at_once, "main"),
    "insight": ("/insight", _at_once, "main"),
    "audit": ("/audit", _at_once, "main"),
    "export": ("/export", _at_once, "main"),
    "error": ("/nothing-here", _at_once, "main"),
}


#: Pages for nobody in particular.
OPEN_PAGES = ("/sign-in", "/welcome#secret")


def _kind(path: str) -> str:
    """A path without its query, and with one name for every id."""
    return re.sub(r"{\w+}", "{}", re.split(r"[?#]", path)[0])


def test_every_page_is_examined_and_pictured() -> None:
    no_page = {"/", "/healthz", "/queue/next", "/queue/ahead", "/export/download"}
    gets = {route.removeprefix("GET ") for route in LEAST if route.startswith("GET ")}
    wanted = {
        _kind(path) for path in gets - no_page if not path.startswith(("/api/", "/pictures/"))
    }
    examined = {*OPEN_PAGES, *(path for path, *_ in PAGES.values())}
    assert {_kind(path) for path in examined} >= wanted
    assert {_kind(shot.path) for shot in SHOTS} >= wanted - {"/welcome"}, "it looks like signing in"


@pytest.fixture
def places(console: Console, tmp_path: Path) -> dict[str, Any]:
    """Ids that the addresses need: an open item, a decided one, their jobs, a failed job."""
    bench = console.bench
    lea = bench.people.get("lea")
    decided = bench.held(lea, bench.photographed(tmp_path / "decided.png", "decided").id)
    bench.reviews.decide(decided, Ruling(decision=Decision.APPROVED), lea)
    failed = bench.queued(status=JobStatus.FAILED)
    return {
        "item": console.review, "job": console.job, "decided": decided.review, "failed": failed
    }  # fmt: skip


def _wrong(page: "Page", name: str, scope: str, **options: Any) -> list[str]:
    """What axe finds grave: the page, the rule, and the first place that breaks it."""
    found = page.evaluate(
        "([scope, options]) => axe.run(scope, options)",
        [scope, {"resultTypes": ["violations"], **options}],
    )
    return [
        f"{name}: {one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0]['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in GRAVE
    ]


def _examined(page: "Page", name: str, scope: str = WHOLE, language: str = "en") -> list[str]:
    """Every rule; those of colour in one language, and on the dark page too."""
    page.evaluate(AXE)
    if language != "en":
        off = {rule: {"enabled": False} for rule in COLOURS}
        return _wrong(page, f"{name}, {language}", scope, rules=off)
    wrong = _wrong(page, name, scope)
    page.emulate_media(color_scheme="dark")
    wrong += _wrong(page, f"{name}, dark", scope, runOnly=COLOURS)
    page.emulate_media(color_scheme="light")
    return wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_grave(
    browser: "Browser", console: Console, places: dict[str, Any], language: str
) -> None:
    wrong = []
    # Colours that fade in would be measured half-way.
    calm: dict[str, Any] = {"reduced_motion": "reduce", "color_scheme": "light"}
    with at_console(browser, console, "lea", language=language, expected=("404",), **calm) as page:
        for name, (path, prepare, scope) in PAGES.items():
            if language != "en" and scope.startswith("#"):
                continue  # dialogs and panels are built alike in every language
            page.goto(console.base + path.format(**places))
            prepare(page)
            wrong += _examined(page, name, scope, language)
    with at_console(browser, console, None, language=language, **calm) as page:
        for path in OPEN_PAGES:
            page.goto(console.base + path)
            wrong += _examined(page, path, WHOLE, language)
    assert wrong == []


def test_axe_finds_nothing_grave_in_an_empty_queue_and_on_a_taken_item(
    browser: "Browser", console: Console
) -> None:
    ray = console.bench.people.get("ray")
    hold = console.bench.held(ray, console.job)
    with at_console(browser, console, "lea", expected=("409",)) as page:
        page.goto(f"{console.base}/reviews/{console.review}")
        page.get_by_role("alert").wait_for()
        wrong = _examined(page, "taken")
        console.bench.reviews.decide(hold, Ruling(decision=Decision.APPROVED), ray)
        page.goto(f"{console.base}/queue")
        wrong += _examined(page, "empty queue")
    assert wrong == []
