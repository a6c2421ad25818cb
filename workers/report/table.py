"""The table that `packshot run` prints at its end."""

import unicodedata
from collections.abc import Sequence
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from packshot.results import Signal, TextLine
from packshot.store.views import JobView
from workers.report.card import status_of
from workers.report.evidence import Evidence, evidence, file_name
from workers.report.words import percent, reason_name

#: Columns that give way on a narrow terminal, the widest first, and their widths at most.
_SHRINKING: Final = (("Photo", 24), ("Category", 13), ("Brand, model", 13), ("Text", 12))
#: Room for "review: category unsure +2" (columns of the terminal).
_RESULT: Final = 26
_STYLES: Final = {"accepted": "green", "review": "yellow", "failed": "red", "other": "dim"}


def render_table(jobs: Sequence[JobView]) -> Table:
    """One row per photo: what it is, what it says, how sure that is, and where it went.

    Made for 100 columns; on 80 the longer cells are cut with an ellipsis. What comes out of a
    photo is printed as plain text: no markup, no control characters.

    Raises:
        ConfigurationError: another version of Packshot wrote a result.
    """
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for header, width in _SHRINKING:
        table.add_column(_plain(header), max_width=width)
    table.add_column("Sure", justify="right", no_wrap=True)
    table.add_column("Result", max_width=_RESULT, no_wrap=True, overflow="ellipsis")
    table.add_column("Secs", justify="right", no_wrap=True)
    for job in jobs:
        table.add_row(*_row(job))
    return table


def _row(job: JobView) -> list[Text]:
    found, status = evidence(job), status_of(job)
    sure = (job.result or {}).get("confidence")
    seconds = sum(step.seconds for step in job.steps if step.seconds is not None)
    return [
        _plain(file_name(job, found.photo)),
        _plain(found.recognition.categories[0].en if found.recognition else ""),
        _plain(found.named),
        _plain(_largest(found)),
        _plain(percent(sure) if sure is not None else ""),
        _plain(_fate(job, status, found.reasons), _STYLES[status]),
        _plain(f"{seconds:.2f}" if seconds else "", "dim"),
    ]


def _largest(found: Evidence) -> str:
    """The line printed largest: the first one is often a stray figure at the rim."""
    lines = found.text.lines if found.text else ()
    return max(lines, key=_weight).text if lines else ""


def _weight(line: TextLine) -> float:
    (ax, ay), (bx, by), (cx, cy), _ = line.polygon
    return abs((bx - ax) * (cy - by) - (by - ay) * (cx - bx)) * line.probability


def _fate(job: JobView, status: str, reasons: Sequence[Signal]) -> str:
    if status == "failed":
        return f"failed: {job.code or 'internal_error'}"
    if status == "review" and reasons:
        more = f" +{len(reasons) - 1}" if len(reasons) > 1 else ""
        return f"review: {reason_name(reasons[0].code).lower()}{more}"
    return job.status


def _plain(text: str, style: str = "") -> Text:
    # A file may be named after a terminal's escape sequence, or after rich's markup.
    shown = "".join(" " if unicodedata.category(one) in _UNPRINTABLE else one for one in text)
    return Text(shown, style=style, no_wrap=True, overflow="ellipsis")


#: Control and format characters (which hide or turn round text), surrogates, line breaks.
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
