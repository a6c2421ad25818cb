"""The report: one HTML file that needs nothing but a browser."""

import base64
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from packshot.errors import ConfigurationError
from packshot.results import ModelInfo
from packshot.store.views import JobView
from workers.report import words
from workers.report.card import Card, make_card
from workers.report.facts import RunFacts
from workers.report.pictures import BlobReader, sizes_for

_TEMPLATES: Final = Path(__file__).parent / "templates"
#: Photos whose pictures are shrunk at once: each may hold two working images (about 100 MB).
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Share:
    """One status of the run: how many photos, and its part of the bar (per cent)."""

    status: str
    name: str
    count: int
    start: float
    share: float


def write_report(
    path: Path, jobs: Sequence[JobView], blobs: BlobReader, *, facts: RunFacts
) -> None:
    """Write the report of a run as one self-contained HTML file.

    The file appears whole or not at all; an older one is replaced. Pictures travel inside it, the
    smaller the more photos there are: about 450 kB per photo up to 60 photos, then less.

    Args:
        path: the file to write; missing folders are made.
        jobs: the jobs to show, in order.
        blobs: where their pictures lie; a picture that is gone is left out.
        facts: what is true of the whole run.

    Raises:
        ConfigurationError: the file cannot be written, or another version wrote a result.
        StorageUnavailable: the store does not answer.
    """
    cards = _cards(jobs, blobs, facts)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(_render(cards, facts))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The report cannot be written to {path} ({error.strerror}): name another folder."
        ) from error


def _cards(jobs: Sequence[JobView], blobs: BlobReader, facts: RunFacts) -> list[Card]:
    sizes = sizes_for(len(jobs))

    def make(numbered: tuple[int, JobView]) -> Card:
        number, job = numbered
        return make_card(number, job, blobs, sizes=sizes, thresholds=facts.thresholds)

    workers = min(_AT_ONCE, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers, thread_name_prefix="report") as pool:
        return list(pool.map(make, enumerate(jobs, 1)))


def _render(cards: Sequence[Card], facts: RunFacts) -> Iterable[str]:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        compared=words.compared,
        number=words.number_name,
        percent=words.percent,
        plural=words.plural,
        reason=words.reason_name,
        rule=words.rule_name,
        seconds=words.seconds_name,
        size=words.size_name,
    )
    environment.tests["shares"] = words.are_shares
    style, script = (_part(name) for name in ("report.css", "report.js"))
    return environment.get_template("page.html.j2").generate(
        cards=cards,
        facts=facts,
        models=_models(cards, facts),
        policy=_policy(style, script),
        script=Markup(script),  # noqa: S704 - a file of this package
        shares=_shares(cards),
        statuses=words.STATUSES,
        style=Markup(style),  # noqa: S704 - a file of this package
    )


def _part(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _policy(style: str, script: str) -> str:
    """Only this page's own style and script run, and nothing is fetched from anywhere."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _shares(cards: Sequence[Card]) -> list[Share]:
    counts = Counter(card.status for card in cards)
    shares, start = [], 0.0
    for status, name in words.STATUSES.items():
        if status == "other" and not counts[status]:
            continue
        share = 100 * counts[status] / len(cards) if cards else 0.0
        shares.append(Share(status, name, counts[status], round(start, 3), round(share, 3)))
        start += share
    return shares


def _models(cards: Sequence[Card], facts: RunFacts) -> list[ModelInfo]:
    used = (model for card in cards for model in card.models)
    return list({model.sha256: model for model in (*facts.models, *used)}.values())
