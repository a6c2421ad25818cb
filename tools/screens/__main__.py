"""Pictures of every page of the console: `python -m tools.screens OUT`.

The sample photos go through the real models in this process, as `packshot up --sample` has it; then
Chromium visits every page as people of each role would, and keeps what it sees. Needs the weights
and a Chromium.
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.support.browser import chromium, sitting
from tests.support.server import NotAvailable
from tools.screens.scene import Scene, first_day, working_day
from tools.screens.shots import SHOTS, Shot

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_WIDE = {"width": 1280, "height": 800}
#: Name -> how the same page is looked at; the first one is taken of every page.
LOOKS: dict[str, dict[str, Any]] = {
    "": {"viewport": _WIDE},
    "dark": {"viewport": _WIDE, "color_scheme": "dark"},
    "zh": {"viewport": _WIDE},
    "tablet": {"viewport": {"width": 820, "height": 1180}, "has_touch": True},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
#: Quality of WebP: text stays crisp, and most pages stay below 80 KB.
QUALITY = 82


def main() -> int:
    """Take the pictures; 1 where a page complained into the browser's console."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, help="keep the console's data there, to go on with it")
    parser.add_argument("--png", action="store_true", help="PNG, for viewers that know no WebP")
    parser.add_argument("--only", nargs="*", default=[], help="names of pictures")
    parser.add_argument("--look", nargs="*", default=list(LOOKS), help="dark, zh, tablet, phone")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    complaints = []
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(chromium())
        except NotAvailable as error:
            sys.exit(f"No pictures without Chromium: {error}.")
        data = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        scenes = {
            False: stack.enter_context(working_day(data / "day")),
            True: stack.enter_context(first_day(data / "empty")),
        }
        for shot, look in _wanted(options.only, options.look):
            name = "-".join(part for part in (shot.name, look) if part)
            picture, said = take(browser, scenes[shot.empty], shot, look)
            complaints += [f"{name}: {one}" for one in said]
            _keep(picture, options.out / name, png=options.png)
    print(*complaints, sep="\n")
    return int(bool(complaints))


def _wanted(names: list[str], looks: list[str]) -> Iterator[tuple[Shot, str]]:
    for shot in SHOTS:
        if names and shot.name not in names:
            continue
        for look in LOOKS:
            if look in looks and (shot.main or not look):
                yield shot, look


def take(browser: "Browser", scene: Scene, shot: Shot, look: str) -> tuple[bytes, list[str]]:
    """One page as PNG, and what it complained about: expected refusals are passed over."""
    cookies = {"packshot_language": "zh" if look == "zh" else "en"}
    if shot.who:
        cookies["packshot_session"] = scene.session(shot.who)
    options = {"color_scheme": "light", "reduced_motion": "reduce", **LOOKS[look]}
    with sitting(browser, scene.base, cookies, **options) as (page, said):
        page.goto(scene.base + shot.path.format(**scene.ids))
        shot.act(page)
        page.wait_for_load_state("networkidle")
        picture = page.screenshot()
    return picture, [one for one in said if "404" not in one and "409" not in one]


def _keep(picture: bytes, path: Path, *, png: bool) -> None:
    if png:
        path.with_name(f"{path.name}.png").write_bytes(picture)
        return
    with Image.open(io.BytesIO(picture)) as opened:
        opened.save(path.with_name(f"{path.name}.webp"), quality=QUALITY, method=6)


if __name__ == "__main__":
    sys.exit(main())
