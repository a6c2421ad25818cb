"""The table that `packshot run` prints at its end."""

import unicodedata
from collections.abc import Sequence
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from packshot.results import Signal
from packshot.store.views import JobView
from workers.report.card import status_of
from workers.report.evidence import Evidence, evidence, file_name
from workers.report.words import STATUSES, percent, reason_name, seconds_name

_STYLES: Final = {"accepted": "green", "review": "yellow", "failed": "red", "other": "dim"}


def render_table(jobs: Sequence[JobView]) -> Table:
    """One row per photo: what it is, what it says, how sure that is, and where it went.

    Made for 100 columns; on 80 the longer cells are cut with an ellipsis. What comes out of a
    photo is printed as plain text: no markup, no control characters.

    Raises:
        ConfigurationError: another version of Packshot wrote a result.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    for header, width in (("Photo", 20), ("Category", 14), ("Brand, model", 14), ("Text", 14)):
        table.add_column(header, max_width=width, no_wrap=True, overflow="ellipsis")
    table.add_column("Sure", justify="right", no_wrap=True)
    table.add_column("Result", max_width=22, no_wrap=True, overflow="ellipsis")
    table.add_column("Time", justify="right", no_wrap=True)
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
        _plain(_names(found)),
        _plain(found.text.lines[0].text if found.text and found.text.lines else ""),
        _plain(percent(sure) if sure is not None else ""),
        _plain(_fate(job, status, found.reasons), _STYLES[status]),
        _plain(seconds_name(seconds) if seconds else "", "dim"),
    ]


def _names(found: Evidence) -> str:
    if found.recognition is None:
        return ""
    named = (found.recognition.brand, found.recognition.model)
    return " ".join(finding.value for finding in named if finding)


def _fate(job: JobView, status: str, reasons: Sequence[Signal]) -> str:
    if status == "failed":
        return f"failed: {job.code or 'internal_error'}"
    if status == "review":
        more = f" +{len(reasons) - 1}" if len(reasons) > 1 else ""
        why = reason_name(reasons[0].code).lower() if reasons else "asked for"
        return f"review: {why}{more}"
    return STATUSES[status].lower() if status != "other" else job.status


def _plain(text: str, style: str = "") -> Text:
    # A file may be named after a terminal's escape sequence, or after rich's markup.
    shown = "".join(" " if unicodedata.category(one) in _UNPRINTABLE else one for one in text)
    return Text(shown, style=style)


#: Control and format characters (which hide or turn round text), surrogates, line breaks.
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
