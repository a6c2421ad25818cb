"""Plots as SVG, drawn here: no script, no inline style, readable without a mouse."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

#: The drawing's size in its own units; the page scales it.
WIDTH, HEIGHT = 560, 200
_LEFT, _BOTTOM, _TOP = 36, 24, 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One column: its label, its height, and what a reader hears and sees on top."""

    label: str
    value: float
    told: str


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its interval, all in [0, 1]."""

    label: str
    share: float
    low: float
    high: float
    told: str


def columns(title: str, bars: Sequence[Bar]) -> Markup:
    """Columns from left to right; every label that fits is written."""
    top = max((bar.value for bar in bars), default=0) or 1
    step = (WIDTH - _LEFT) / max(1, len(bars))
    every = max(1, round(48 / step))
    parts = [_axis(top)]
    for index, bar in enumerate(bars):
        tall = (HEIGHT - _BOTTOM - _TOP) * bar.value / top
        x, y = _LEFT + index * step, HEIGHT - _BOTTOM - tall
        wide = max(1.0, step - 3)
        parts.append(
            f'<rect class="bar-a" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" '
            f'rx="2"><title>{escape(bar.label)}: {escape(bar.told)}</title></rect>'
        )
        if index % every == 0:
            parts.append(_text(x + wide / 2, HEIGHT - 8, bar.label))
    return _svg(title, HEIGHT, parts)


def intervals(title: str, rows: Sequence[Interval]) -> Markup:
    """One row per share: a dot, a whisker from low to high, the numbers at its end."""
    high = max((row.high for row in rows), default=0)
    scale = next((limit for limit in (0.05, 0.1, 0.25, 0.5) if high <= limit), 1.0)
    left, right, tall = 150, 118, 30
    span = WIDTH - left - right
    parts = []
    for index, row in enumerate(rows):
        y = tall * index + tall / 2
        low_x, high_x = left + span * row.low / scale, left + span * row.high / scale
        parts.append(_text(left - 12, y + 4, row.label, anchor="end"))
        parts.append(f'<line class="axis" x1="{left}" x2="{left + span}" y1="{y}" y2="{y}"/>')
        parts.append(
            f'<line class="whisker" x1="{low_x:.1f}" x2="{high_x:.1f}" y1="{y}" y2="{y}"/>'
        )
        dot = left + span * row.share / scale
        parts.append(f'<circle class="dot" cx="{dot:.1f}" cy="{y}" r="4.5"/>')
        parts.append(_text(left + span + 12, y + 4, row.told, anchor="start", kind="value"))
    bottom = tall * len(rows) + 16
    parts += [_text(left + span * part, bottom, f"{part * scale:.3g}") for part in (0.0, 0.5, 1.0)]
    return _svg(title, bottom + 6, parts)


def _axis(top: float) -> str:
    base, ceiling = HEIGHT - _BOTTOM, _TOP
    lines = "".join(
        f'<line class="axis" x1="{_LEFT}" x2="{WIDTH}" y1="{y}" y2="{y}"/>'
        for y in (base, (base + ceiling) / 2, ceiling)
    )
    return (
        lines
        + _text(_LEFT - 8, base + 4, "0", anchor="end")
        + _text(_LEFT - 8, ceiling + 4, f"{top:g}", anchor="end")
    )


def _text(x: float, y: float, text: str, *, anchor: str = "middle", kind: str = "label") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _svg(title: str, height: float, parts: Sequence[str]) -> Markup:
    return Markup(  # noqa: S704 - every text in it was escaped above
        f'<svg class="plot" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label="{escape(title, quote=True)}">{"".join(parts)}</svg>'
    )
