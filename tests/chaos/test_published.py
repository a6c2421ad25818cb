"""What the pages say was lost is what was counted."""

from pathlib import Path

import pytest

from tests.chaos.publish import PAGES, kept, written


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
def test_pages_show_the_kept_runs(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text == written(text), "run: python -m tests.chaos.publish"


def test_every_kept_run_with_its_guards_has_passed() -> None:
    runs = [run for run in kept() if not run.without]
    assert runs
    assert [run.line() for run in runs if run.verdict != "pass"] == []
