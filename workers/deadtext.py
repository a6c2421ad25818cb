"""Dead letters in words: a table, a page, JSON. What a stranger sent is escaped everywhere."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from packshot.jsontext import escaped
from packshot.store.views import JobView
from workers.dead import Letter

if TYPE_CHECKING:
    from rich.table import Table

#: Bytes of a body that the table shows.
HEAD_BYTES = 48
#: Characters of a body that a page shows.
PAGE_CHARS = 20_000
#: Longest header that is shown, characters.
_HEADER_CHARS = 2000

#: Source, job_id and status by a letter's id.
Known = Mapping[str, tuple[str, str, str]]


def render(letters: Sequence[Letter], known: Known, now: datetime) -> "Table":
    """The table of `packshot dead list`."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in ("id", "queue", "age"):
        table.add_column(column, no_wrap=True)
    for column in ("what", "why", "job", "begins with"):
        table.add_column(column, overflow="fold")
    for letter in letters:
        cells = (
            letter.id,
            letter.queue.removeprefix("packshot."),
            _age(letter, now),
            _what(letter),
            _line(f"{letter.code}: {letter.reason}", 160),
            _job(letter, known),
            _head(letter),
        )
        # As text, so that square brackets in it are not read as markup.
        table.add_row(*(Text(cell) for cell in cells))
    return table


def line(letter: Letter, known: Known, now: datetime) -> dict[str, Any]:
    """One letter for `packshot dead list --json`."""
    source, job_id, status = known.get(letter.id, (None, None, None))
    return {
        "id": letter.id,
        "queue": letter.queue,
        "since": letter.since.isoformat() if letter.since else None,
        "age_seconds": round((now - letter.since).total_seconds()) if letter.since else None,
        "kind": letter.kind,
        "step": letter.step[1] if letter.step else None,
        "code": letter.code,
        "reason": letter.reason,
        "origin": letter.origin or None,
        "row": str(letter.step[0]) if letter.step else None,
        "source": source,
        "job_id": job_id,
        "status": status or None,
        "bytes": len(letter.body),
        "head": _head(letter),
    }


def document(letter: Letter, job: JobView | None) -> dict[str, Any]:
    """One letter for `packshot dead show --json`."""
    head = line(letter, {}, datetime.now(UTC))
    if job:
        head |= {"source": job.source, "job_id": job.job_id, "status": job.status}
    return {
        **head,
        "headers": _plain(letter.headers),
        "properties": _plain(letter.properties),
        **_body(letter),
        "job": job.model_dump(mode="json", exclude={"steps": {"__all__": {"result"}}})
        if job
        else None,
    }


def saved(letter: Letter) -> dict[str, Any]:
    """One letter as `packshot dead discard` keeps it: whole, so that it can be sent again."""
    return {
        "id": letter.id,
        "queue": letter.queue,
        "discarded": datetime.now(UTC).isoformat(),
        "headers": _plain(letter.headers),
        "properties": _plain(letter.properties),
        **_body(letter),
    }


def describe(letter: Letter, job: JobView | None) -> str:
    """The page of `packshot dead show`."""
    lines = [
        f"{letter.id} in {letter.queue}, {_age(letter, datetime.now(UTC))} old",
        f"  what   {_what(letter)}, {len(letter.body):,} bytes",
        f"  why    {_line(letter.code, 64)}: {_line(letter.reason, _HEADER_CHARS)}",
    ]
    if job:
        lines += _steps(job)
    elif letter.step:
        lines.append(f"  job    {letter.step[0]}, which the ledger does not show")
    lines.append("headers")
    lines += [
        f"  {_line(str(name), 64)}: {_line(json.dumps(value, ensure_ascii=False), _HEADER_CHARS)}"
        for name, value in _plain(letter.headers).items()
    ]
    lines.append("body")
    return "\n".join([*lines, _pretty(letter)])


def _steps(job: JobView) -> list[str]:
    lines = [f"  job    {job.source}/{job.job_id}: {job.status} ({job.id})"]
    if job.code:
        lines.append(f"         {job.code}: {job.message}")
    for step in job.steps:
        tries = f"attempt {step.attempt}" if step.attempt else ""
        told = f"{step.code}: {step.message}" if step.code else ""
        words = (f"{step.name:12}", f"{step.status:8}", tries, step.worker or "", told)
        lines.append("         " + " ".join(word for word in words if word).rstrip())
    return [_line(one, _HEADER_CHARS) for one in lines]


def _pretty(letter: Letter) -> str:
    content = letter.content
    if content is not None:
        text = json.dumps(content, ensure_ascii=False, indent=2)
    else:
        text = letter.body[: 4 * PAGE_CHARS].decode("utf-8", "backslashreplace")
    shown = "\n".join(_line(one, PAGE_CHARS) for one in text[:PAGE_CHARS].splitlines())
    return shown + ("\n…" if len(text) > PAGE_CHARS else "")


def _body(letter: Letter) -> dict[str, str]:
    try:
        return {"body": letter.body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(letter.body).decode()}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Headers as JSON: the broker's own hold moments and bytes."""
    text = json.dumps(dict(values), default=_worded)
    plain: dict[str, Any] = json.loads(text)
    return plain


def _worded(value: object) -> str:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat()
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _what(letter: Letter) -> str:
    return f"step {letter.step[1]}" if letter.step else str(letter.kind)


def _job(letter: Letter, known: Known) -> str:
    if letter.id in known:
        source, job_id, status = known[letter.id]
        return _line(f"{source}/{job_id}" + (f" ({status})" if status else ""), 120)
    return str(letter.step[0]) if letter.step else ""


def _head(letter: Letter) -> str:
    return _line(letter.body[:HEAD_BYTES].decode("utf-8", "backslashreplace"), HEAD_BYTES)


def _age(letter: Letter, now: datetime) -> str:
    if letter.since is None:
        return "?"
    seconds = max(0, int((now - letter.since).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _line(text: str, limit: int) -> str:
    """Foreign text as one line that no terminal mistakes for a command."""
    return "".join(one if one.isprintable() else "·" for one in escaped(text, limit))
