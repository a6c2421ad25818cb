"""The review queue's table.

Every index of the queue is partial: decided items, which are nearly all of them after a month, are
not in it. So the queue's page and a claim cost what the open items near the head cost.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from packshot.store.schema import Base

_OPEN = text("status = 'open'")
_CLAIMED = text("status = 'claimed'")
_DECIDED = text("status = 'decided'")


class ReviewRow(Base):
    """One item of the human-review queue: why it is there, who has it, and what was decided.

    The queue's order is (priority, due_at, id). `version` grows with every change of hands and with
    the decision. Columns with a server default are those that the release before did not write.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        Index("ix_reviews_status_created_at", "status", "created_at"),
        Index("ix_reviews_job", "job"),
        Index(
            "ix_reviews_queue",
            "priority",
            "due_at",
            "id",
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index(
            "ix_reviews_queue_source",
            "source",
            "priority",
            "due_at",
            "id",
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index(
            "ix_reviews_queue_category",
            "category",
            "priority",
            "due_at",
            "id",
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index("ix_reviews_queue_sku", "sku", postgresql_where=_OPEN, sqlite_where=_OPEN),
        Index(
            "ix_reviews_claimed", "lease_until", postgresql_where=_CLAIMED, sqlite_where=_CLAIMED
        ),
        Index(
            "ix_reviews_decided",
            "decided_at",
            "id",
            postgresql_where=_DECIDED,
            sqlite_where=_DECIDED,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    job: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(16))
    lane: Mapped[str] = mapped_column(String(8))
    reasons: Mapped[list[Any]]
    confidence: Mapped[float | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decision: Mapped[dict[str, Any] | None]

    source: Mapped[str | None] = mapped_column(String(64))
    sku: Mapped[str | None] = mapped_column(String(128))
    category: Mapped[int | None]
    policy: Mapped[str | None] = mapped_column(String(64))
    priority: Mapped[int] = mapped_column(server_default=text("1"), default=1)
    due_at: Mapped[datetime] = mapped_column(server_default=text("CURRENT_TIMESTAMP"))
    version: Mapped[int] = mapped_column(server_default=text("0"), default=0)
    holder: Mapped[UUID | None]
    token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    seconds: Mapped[float | None]


class ReasonRow(Base):
    """One reason of an undecided item, in the queue's order: a filter by reason is one range."""

    __tablename__ = "review_reasons"
    __table_args__ = (Index("ix_review_reasons_review", "review"),)

    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    priority: Mapped[int] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    review: Mapped[UUID] = mapped_column(
        ForeignKey("reviews.id", ondelete="CASCADE"), primary_key=True
    )
