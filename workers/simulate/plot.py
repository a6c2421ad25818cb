"""Plots as SVG: a few stacked panels that share the axis of time. No library draws fewer bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import chain
from math import ceil, log10

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 860, 170, 70, 20, 46, 46
#: Told apart by people who see colours differently, too.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
#: Points of one line: more than a screen has columns would only be bytes.
POINTS = 800


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel: (hours, value)."""

    label: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot of several lines."""

    title: str
    lines: Sequence[Line]


def draw(title: str, panels: Sequence[Panel]) -> str:
    """The whole picture."""
    height = TOP + len(panels) * (PANEL + GAP)
    end = max((x for one in panels for line in one.lines for x, _ in line.points), default=1.0)
    tops = (TOP + at * (PANEL + GAP) for at in range(len(panels)))
    drawn = (_panel(panel, top, end) for panel, top in zip(panels, tops, strict=True))
    return framed(title, height, chain.from_iterable(drawn))


def framed(title: str, height: int, parts: Iterable[str]) -> str:
    """A document of `WIDTH` by `height` around the parts."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">',
        '<g font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="15" font-weight="bold">{escape(title)}</text>',
    )
    return "\n".join([*head, *parts, "</g></svg>\n"])


def _panel(panel: Panel, top: float, end: float) -> list[str]:
    peak = _round_up(max((y for line in panel.lines for _, y in line.points), default=1.0))
    width = WIDTH - LEFT - RIGHT
    parts = [f'<text x="{LEFT}" y="{top + 8}" font-weight="bold">{escape(panel.title)}</text>']
    for share in (0, 0.5, 1):
        y = top + 16 + (PANEL - 16) * (1 - share)
        parts.append(
            f'<path d="M{LEFT} {y:.1f}H{LEFT + width}" stroke="#ddd"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{peak * share:g}</text>'
        )
    for share in (0, 0.25, 0.5, 0.75, 1):
        x = LEFT + width * share
        parts.append(
            f'<text x="{x:.1f}" y="{top + PANEL + 16}" text-anchor="middle" fill="#555">'
            f"{end * share:.3g} h</text>"
        )
    for at, line in enumerate(panel.lines):
        colour = COLOURS[at % len(COLOURS)]
        step = max(1, ceil(len(line.points) / POINTS))
        # Of the points that one column stands for the highest is drawn: a peak must not vanish.
        shown = [
            max(line.points[i : i + step], key=lambda one: one[1])
            for i in range(0, len(line.points), step)
        ]
        path = " ".join(
            f"{LEFT + width * x / end:.1f},{top + 16 + (PANEL - 16) * (1 - y / peak):.1f}"
            for x, y in shown
        )
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        )
        x = LEFT + width - 160 * (len(panel.lines) - at) + 20
        parts.append(
            f'<path d="M{x} {top + 4}h18" stroke="{colour}" stroke-width="3"/>'
            f'<text x="{x + 24}" y="{top + 8}">{escape(line.label)}</text>'
        )
    return parts


def _round_up(value: float) -> float:
    """The next number that reads well: 1, 2, 4, 5, 10 times a power of ten."""
    if value <= 0:
        return 1.0
    power: float = 10.0 ** int(log10(value) // 1)
    return next(one * power for one in (1, 2, 4, 5, 10) if value <= one * power * 1.0000001)
