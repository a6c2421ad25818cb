"""Finding jobs: by SKU, job id, source, status, and by the words in their pictures and names."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Select, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.orm import sessionmaker
from sqlalchemy.types import String

from packshot.store.audit import position
from packshot.store.engine import translated
from packshot.store.tables import JobRow
from packshot.words import terms_of


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; everything that is given must hold.

    `text` finds beginnings of words in SKU, job id, file name, brand, model, category and the text
    on the picture, and a job by its own id. The others are exact.
    """

    text: str = ""
    sku: str = ""
    source: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job in a list."""

    id: UUID
    source: str
    job_id: str
    sku: str
    lane: str
    status: str
    code: str | None
    created_at: datetime
    finished_at: datetime | None
    category: dict[str, Any] | None
    photo: str | None
    cutout: str | None


class Search:
    """Reads of many jobs, the newest first. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._sessions = sessionmaker(engine)
        self._remote = engine.dialect.name == "postgresql"

    def page(
        self, query: Query, *, after: str | None = None, limit: int = 50
    ) -> tuple[tuple[JobLine, ...], str | None]:
        """Some jobs, and where the next page begins; None at the end.

        Raises `Refused` for an `after` that no page gave out.
        """
        found = self._filtered(query).order_by(JobRow.id.desc()).limit(limit + 1)
        if after:
            found = found.where(JobRow.id < position(after))
        with translated(), self._sessions() as db:
            rows = db.execute(found).all()
        lines = tuple(JobLine(*row) for row in rows[:limit])
        return lines, (lines[-1].id.hex if len(rows) > limit else None)

    def _filtered(self, query: Query) -> Select[Any]:
        result = JobRow.result
        found = select(
            JobRow.id,
            JobRow.source,
            JobRow.job_id,
            JobRow.sku,
            JobRow.lane,
            JobRow.status,
            JobRow.code,
            JobRow.created_at,
            JobRow.finished_at,
            result[("recognition", "categories", 0)],
            result[("photo", "work_key")].as_string(),
            result[("matte", "cutout_key")].as_string(),
        )
        for column, value in (
            (JobRow.sku, query.sku),
            (JobRow.source, query.source),
            (JobRow.status, query.status),
        ):
            if value:
                found = found.where(column == value)
        return found.where(self._text(query.text.strip())) if query.text.strip() else found

    def _text(self, text: str) -> Any:
        """Beginnings of words, or one of the names, which older jobs have without words."""
        named = [JobRow.sku == text, JobRow.job_id == text]
        with suppress(ValueError):
            named.append(JobRow.id == UUID(text))
        terms = terms_of(text)
        return or_(*named, self._words(terms)) if terms else or_(*named)

    def _words(self, terms: tuple[str, ...]) -> Any:
        if self._remote:
            # Exactly the expression of the index; terms have no character that would need a quote.
            words = func.array_to_tsvector(
                func.string_to_array(JobRow.words, literal(" "), type_=ARRAY(String))
            )
            asked = " & ".join(f"'{term}':*" for term in terms)
            return words.op("@@")(cast(literal(asked), TSQUERY))
        spaced = literal(" ").concat(JobRow.words)
        return and_(*(spaced.contains(f" {term}", autoescape=True) for term in terms))
