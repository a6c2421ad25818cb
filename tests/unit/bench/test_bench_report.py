"""Rounds in, a table, a document and a drawing out."""

import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from packshot.errors import PackshotError
from workers.bench import report
from workers.bench.figures import Round, Row
from workers.bench.plan import Arrangement, Options, Plan
from workers.bench.run import interleaved


def row(*rates: float, section: str = "limit", name: str = "bare loop") -> Row:
    return Row(section, name, [Round(10, 10 / rate, 5.0, {"peak_mib": rate}) for rate in rates])


def test_medians_and_spread() -> None:
    found = row(2.0, 4.0, 3.0)
    assert found.rate == pytest.approx(3.0)
    assert found.spread == pytest.approx(2 / 3)
    assert found.cpu == pytest.approx(0.5)
    assert found.extra() == {"peak_mib": 3.0}


def test_without_a_round_there_is_no_rate() -> None:
    assert (Row("peer", "x").rate, Row("peer", "x").spread, Row("peer", "x").cpu) == (0, 0, 0)


def test_rounds_take_turns_and_a_failure_stops_only_itself() -> None:
    ran: list[str] = []

    def runs(name: str, failing: int | None = None) -> Arrangement:
        def run() -> Round:
            ran.append(name)
            if ran.count(name) == failing:
                raise PackshotError(f"{name} broke")
            return Round(1, 1.0, 1.0)

        return Arrangement(Row("s", name), run)

    rows = interleaved([runs("a"), runs("b", failing=2), runs("c")], 3, lambda _: None)
    assert ran == ["a", "b", "c", "a", "b", "c", "a", "c"]
    assert [len(one.rounds) for one in rows] == [3, 1, 3]
    assert rows[1].skipped == "b broke"


def test_a_peer_that_is_not_there_is_said(tmp_path: Path) -> None:
    def skipped(peer: Path | None) -> set[str]:
        plan = Plan(Options(tmp_path, (1000,), jobs=1, warm=1, processes=2, peer=peer, models=None))
        return {one.row.skipped for one in plan.peers()}

    (none_given,) = skipped(None)
    assert "--peer" in none_given
    (missing,) = skipped(tmp_path / "python")
    assert "No such file" in missing


def test_the_table_shows_figures_and_reasons() -> None:
    skipped = Row("peer", "RapidOCR", skipped="no environment given")
    console = Console(width=200, record=True)
    console.print(report.table([row(2.0, 4.0, 3.0), skipped]))
    text = console.export_text()
    assert "3.00" in text
    assert "67%" in text
    assert "skipped: no environment given" in text


def test_the_document_and_the_drawing(tmp_path: Path) -> None:
    rows = [row(2.0, 4.0, 3.0), row(1.0, section="peer", name="a < b"), Row("peer", "x", [], "no")]
    document, drawing = report.write(rows, tmp_path / "out")
    content = json.loads(document.read_text())
    assert [one["jobs_per_second"] for one in content["rows"]] == [3.0, 1.0, 0.0]
    assert content["rows"][2]["skipped"] == "no"
    # The first rectangle is the paper.
    widths = [
        float(w)
        for w in re.findall(r'<rect x="\d+" y="[\d.]+" width="([\d.]+)"', drawing.read_text())
    ]
    assert len(widths) == 2
    assert "a &lt; b" in drawing.read_text()
    assert widths[0] == pytest.approx(3 * widths[1], rel=0.01)
