"""A reviewer's time at the machine: 20 items by keyboard in Chromium, and what each waits for.

    python -m tests.benchmarks.review_day [--items 20] [--think 2]

From one item being usable (claimed, its photo painted) to the next one: the machine's share, since
nobody thinks in between. Every fourth item is corrected, the others are approved. With `--think`
somebody looks for so long first, which is when the next item is fetched ahead; that time is not
counted. Real Postgres, the sample photos, objects in memory, fake models; nothing is re-rendered.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from packshot.console.app import create_app
from packshot.store.engine import open_engine
from tests.support.browser import chromium
from tests.support.console import served, site_of
from tests.support.postgres_server import PrivatePostgres
from tests.support.review_bench import PASSWORD, ReviewBench, Wall
from tests.support.server import Guard
from workers.database import upgrade
from workers.samples import photos

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Calls back in the page once the item is ours and its photo is painted.
USABLE = """former => new Promise(resolve => {
  const look = () => {
    const desk = document.querySelector("main.desk");
    const photo = document.getElementById("photo");
    if (desk?.dataset.id !== former && desk?.dataset.claimed === "1" && photo.complete && photo.naturalWidth)
      requestAnimationFrame(() => resolve([desk.dataset.id, performance.timeOrigin + performance.now()]));
    else requestAnimationFrame(look);
  };
  look();
})"""  # noqa: E501 - a script


def main() -> int:
    """Work the items and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=20)
    parser.add_argument("--think", type=float, default=0.0, help="seconds somebody looks first")
    options = parser.parse_args()
    with ExitStack() as stack:
        bench = stack.enter_context(_bench())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _fill(bench, folder, options.items + 1)
        base = stack.enter_context(served(create_app(site_of(bench))))
        browser = stack.enter_context(chromium())
        seconds = _work(_signed_in(browser, base), options.items, options.think)
    approved = [took for number, took in enumerate(seconds) if number % 4 != 3]
    corrected = [took for number, took in enumerate(seconds) if number % 4 == 3]
    print(f"{len(seconds)} items, {options.think:g} s of looking at each, which is not counted")
    for name, times in (("all", seconds), ("approved", approved), ("corrected", corrected)):
        if times:
            print(f"{name:10} median {statistics.median(times):.3f} s  worst {max(times):.3f} s")
    return 0


@contextmanager
def _bench() -> Iterator[ReviewBench]:
    guard = Guard()
    server = PrivatePostgres(guard)
    server.start()
    engine = open_engine(server.url(server.create()), pool_size=20)
    try:
        upgrade(engine)
        yield ReviewBench(engine, clock=Wall())
    finally:
        engine.dispose()
        server.remove()
        guard.close()


def _fill(bench: ReviewBench, folder: Path, count: int) -> None:
    """Items with the sample photos; each a job of its own."""
    samples = photos()
    for number in range(count):
        photo = samples[number % len(samples)]
        copy = folder / f"{number}{photo.suffix}"
        bench.photographed(copy, f"job-{number}", data=photo.read_bytes())
    bench.person("ann")


def _signed_in(browser: "Browser", base: str) -> "Page":
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(base)
    page.get_by_label("Login").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue")
    page.keyboard.press("Enter")
    return page


def _work(page: "Page", items: int, think: float) -> list[float]:
    page.wait_for_selector("main.desk")
    item, shown = _usable(page, "")
    took = []
    for number in range(items):
        if think:
            page.wait_for_timeout(1000 * think)
            shown = page.evaluate("performance.timeOrigin + performance.now()")
        if number % 4 == 3:
            page.keyboard.press("n")
            page.keyboard.type("Lumora")
            page.keyboard.press("Escape")
            page.keyboard.press("Escape")
        page.keyboard.press("a")
        item, usable = _usable(page, item)
        took.append((usable - shown) / 1000)
        shown = usable
    return took


def _usable(page: "Page", former: str) -> tuple[str, float]:
    """Wait for an item other than `former`; also when the browser has to load a page for it."""
    from playwright.sync_api import Error

    while True:
        try:
            item, moment = page.evaluate(USABLE, former)
        except Error as error:
            if "Execution context was destroyed" not in str(error):
                raise
            page.wait_for_load_state()
        else:
            return item, moment


if __name__ == "__main__":
    sys.exit(main())
