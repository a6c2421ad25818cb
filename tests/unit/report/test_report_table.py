"""The table in the terminal."""

import pytest
from rich.console import Console

from packshot.results import Signal
from packshot.store.views import JobView
from tests.unit.report import report_jobs as made
from workers.report import render_table


def _printed(jobs: list[JobView], width: int) -> list[str]:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(render_table(jobs))
    return captured.get().splitlines()


def _jobs() -> list[JobView]:
    reasons = tuple(
        Signal(code=code, message="", value=0.1, threshold=0.85)
        for code in ("category_unsure", "text_unsure", "blurred")
    )
    long = "2026-11-23 a photo with a very long name indeed (3).jpeg"
    return [
        made.finished_job(long, found=made.text("安慕希希腊风味酸牛奶原味205克", "12")),
        made.finished_job("tea.jpg", reasons=reasons),
        made.failed_job(),
    ]


@pytest.mark.parametrize("width", [100, 80])
def test_one_line_per_photo_that_fits(width: int) -> None:
    lines = _printed(_jobs(), width)
    assert len(lines) == 2 + 3
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize("width", [100, 80])
def test_the_result_is_never_cut(width: int) -> None:
    _, _, accepted, review, failed = _printed(_jobs(), width)
    assert "accepted" in accepted
    assert "review: category unsure +2" in review
    assert "failed: corrupt_image" in failed


def test_a_row_says_what_it_is() -> None:
    row = _printed([made.finished_job("milk.jpg", found=made.text("Whole milk"))], 100)[2]
    assert " ".join(row.split()) == "milk.jpg carton Acme Whole milk 90% accepted 2.00"


def test_the_largest_line_stands_for_the_text() -> None:
    small, large = made.text("12", "MILK").lines
    big = large.model_copy(update={"polygon": ((0, 0), (290, 0), (290, 90), (0, 90))})
    found = made.text("x").model_copy(update={"lines": (small, big)})
    assert "MILK" in _printed([made.finished_job(found=found)], 100)[2]


def test_a_photo_cannot_write_on_the_terminal() -> None:
    found = made.text("\x1b[31mx\x07\u202egpj")
    text = "\n".join(_printed([made.finished_job("[red]a.jpg", found=found)], 100))
    assert "[red]a.jpg" in text
    assert " [31mx  gpj" in text
    assert not any(sign in text for sign in ("\x1b", "\x07", "\u202e"))


def test_an_unsettled_job_shows_its_status() -> None:
    assert "running" in _printed([made.job_view("slow.jpg", status="running")], 100)[2]
