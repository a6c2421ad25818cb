"""The report of a bench run: a table for people, JSON for programs, a picture for both."""

import json
import platform
from collections.abc import Sequence
from html import escape
from pathlib import Path

from rich.table import Table

from workers.bench.figures import Row

#: Lengths of the drawing, in its own units.
_WIDTH, _LABEL, _STEP, _BAR = 900, 330, 26, 16
_COLOURS = {"limit": "#64748b", "embedded": "#0f766e", "fleet": "#1d4ed8", "peer": "#b45309"}


def table(rows: Sequence[Row]) -> Table:
    """One line per arrangement; what was skipped says why."""
    made = Table(box=None)
    for name in ("section", "arrangement", "jobs/s", "spread", "CPU s/job", ""):
        made.add_column(
            name, justify="right" if name in {"jobs/s", "spread", "CPU s/job"} else "left"
        )
    for row in rows:
        if row.skipped:
            made.add_row(row.section, row.name, "", "", "", f"[yellow]skipped: {row.skipped}[/]")
            continue
        more = ", ".join(f"{name} {value:.3g}" for name, value in row.extra().items())
        made.add_row(
            row.section, row.name, f"{row.rate:.2f}", f"{row.spread:.0%}", f"{row.cpu:.3f}", more
        )
    return made


def write(rows: Sequence[Row], folder: Path) -> tuple[Path, Path]:
    """Write `bench.json` and `bench.svg`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    document, drawing = folder / "bench.json", folder / "bench.svg"
    content = {
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "rows": [row.document() for row in rows],
    }
    document.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    drawing.write_text(
        svg([row for row in rows if row.rounds and row.section != "scaling"]), "utf-8"
    )
    return document, drawing


def svg(rows: Sequence[Row]) -> str:
    """Bars of the jobs per second, with a whisker from the slowest round to the fastest."""
    largest = max((max(r.jobs / r.seconds for r in row.rounds) for row in rows), default=1.0)
    unit = (_WIDTH - _LABEL - 70) / largest
    height = _STEP * (len(rows) + 1) + 20
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
            'font-family="system-ui, sans-serif" font-size="13">'
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LABEL}" y="20" fill="#475569">photos per second, median of the rounds</text>',
    ]
    for place, row in enumerate(rows):
        top = 20 + _STEP * (place + 0.5)
        rates = [one.jobs / one.seconds for one in row.rounds]
        low, high = _LABEL + min(rates) * unit, _LABEL + max(rates) * unit
        middle, end = top + _BAR / 2, _LABEL + row.rate * unit
        parts += [
            f'<text x="{_LABEL - 10}" y="{top + 13}" text-anchor="end">{escape(row.name)}</text>',
            (
                f'<rect x="{_LABEL}" y="{top}" width="{row.rate * unit:.1f}" height="{_BAR}" '
                f'fill="{_COLOURS.get(row.section, "#334155")}"/>'
            ),
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}" stroke="#0f172a"/>',
            f'<text x="{max(end, high) + 8:.1f}" y="{top + 13}">{row.rate:.2f}</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])
