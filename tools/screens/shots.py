"""The pictures: who looks where, and what they do there first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _nothing(page: "Page") -> None:
    """The page as it comes."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture. `main` ones are also taken dark, in Chinese, on a tablet and on a phone."""

    name: str
    path: str
    who: str = "morgan"
    act: Callable[["Page"], None] = _nothing
    main: bool = False
    #: In the console where nothing has happened yet.
    empty: bool = False


def _claimed(page: "Page") -> None:
    page.wait_for_selector("main[data-claimed='1']")


def _at_first(page: "Page") -> None:
    page.keyboard.press("j")


def _cut_out(page: "Page") -> None:
    _claimed(page)
    page.keyboard.press("2")


def _outputs(page: "Page") -> None:
    _claimed(page)
    page.keyboard.press("3")


def _category(page: "Page") -> None:
    _claimed(page)
    page.keyboard.press("c")
    page.wait_for_selector("#category-options:not([hidden])")


def _rejecting(page: "Page") -> None:
    _claimed(page)
    page.keyboard.press("r")


def _taken(page: "Page") -> None:
    page.get_by_role("alert").wait_for()


def _painting(page: "Page") -> None:
    page.wait_for_selector("main[data-ready='1']")
    box = page.locator("#stage").bounding_box()
    if not box:
        return
    x, y = box["x"] + box["width"] * 0.38, box["y"] + box["height"] * 0.25
    page.keyboard.press("u")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] * 0.2, y + 30, steps=12)
    page.mouse.up()


def _previewing(page: "Page") -> None:
    for box in page.locator("#items input[type=checkbox]").all()[:4]:
        box.check()
    page.locator("#bulk-accept").click()
    page.wait_for_selector("#bulk[open]")


def _helped(page: "Page") -> None:
    page.keyboard.press("?")


SHOTS = (
    Shot("sign-in", "/sign-in", who="", main=True),
    Shot("queue", "/queue", act=_at_first, main=True),
    Shot("queue-filtered", "/queue?reason=text_unsure&source=listing-service"),
    Shot("queue-no-match", "/queue?sku=none"),
    Shot("queue-empty", "/queue", empty=True, main=True),
    Shot("bulk", "/queue", act=_previewing, main=True),
    Shot("help", "/queue", act=_helped),
    Shot("item", "/reviews/{item}", act=_claimed, main=True),
    Shot("item-cut-out", "/reviews/{item}", act=_cut_out, main=True),
    Shot("item-delivered", "/reviews/{item}", act=_outputs),
    Shot("item-category", "/reviews/{item}", act=_category),
    Shot("item-reject", "/reviews/{item}", act=_rejecting, main=True),
    Shot("item-taken", "/reviews/{taken}", act=_taken, main=True),
    Shot("item-decided", "/reviews/{decided}"),
    Shot("item-viewer", "/reviews/{item}", who="sam"),
    Shot("matte", "/reviews/{item}/matte", act=_painting, main=True),
    Shot("jobs", "/jobs", main=True),
    Shot("jobs-none", "/jobs?q=nothing"),
    Shot("job", "/jobs/{job}", main=True),
    Shot("job-failed", "/jobs/{failed}"),
    Shot("insight", "/insight?days=1", main=True),
    Shot("insight-empty", "/insight", empty=True),
    Shot("audit", "/audit", main=True),
    Shot("export", "/export", main=True),
    Shot("error", "/reviews/{nothing}", main=True),
)
