"""The review queue: claims, decisions, people, audit, search.

The release before goes on writing meanwhile: every new column is nullable or has a default, and
what it puts into the queue is completed by the first reconciler of this release.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def columns_of_reviews() -> tuple[sa.Column[Any], ...]:
    """What `reviews` gains: new objects, since a column belongs to one operation."""
    return (
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("sku", sa.String(length=128), nullable=True),
        sa.Column("category", sa.Integer(), nullable=True),
        sa.Column("policy", sa.String(length=64), nullable=True),
        sa.Column("priority", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("due_at", MOMENT, server_default=sa.text("CURRENT_TIMESTAMP"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
    )


#: Indexes of `reviews`: name, columns, the status that they are limited to.
INDEXES = (
    ("ix_reviews_queue", ["priority", "due_at", "id"], "open"),
    ("ix_reviews_queue_source", ["source", "priority", "due_at", "id"], "open"),
    ("ix_reviews_queue_category", ["category", "priority", "due_at", "id"], "open"),
    ("ix_reviews_queue_sku", ["sku"], "open"),
    ("ix_reviews_claimed", ["lease_until"], "claimed"),
    ("ix_reviews_decided", ["decided_at", "id"], "decided"),
)

#: The log only grows, whoever writes to it.
APPEND_ONLY = {
    "postgresql": (
        """CREATE FUNCTION packshot_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$""",
        """CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION packshot_audit_only_grows()""",
    ),
    "sqlite": (
        """CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
        """CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END""",
    ),
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    op.add_column("jobs", sa.Column("policy", sa.String(length=64), nullable=True))
    op.add_column("jobs", sa.Column("words", sa.String(), nullable=True))
    op.add_column("steps", sa.Column("correction", JSON, nullable=True))
    # SQLite adds no column whose default is a function: there the table is made anew.
    with op.batch_alter_table(
        "reviews", recreate="always" if dialect == "sqlite" else "never"
    ) as reviews:
        for column in columns_of_reviews():
            reviews.add_column(column)
    for name, columns, status in INDEXES:
        only = sa.text(f"status = '{status}'")
        op.create_index(name, "reviews", columns, postgresql_where=only, sqlite_where=only)
    if dialect == "postgresql":
        op.create_index(
            "ix_jobs_words",
            "jobs",
            [sa.text("array_to_tsvector(string_to_array(words, ' '))")],
            postgresql_using="gin",
        )
    _reasons()
    _people()
    _audit()
    for statement in APPEND_ONLY[dialect]:
        op.execute(statement)


def _reasons() -> None:
    op.create_table(
        "review_reasons",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("review", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review"], ["reviews.id"], name=op.f("fk_review_reasons_review"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "code", "priority", "due_at", "review", name=op.f("pk_review_reasons")
        ),
    )
    op.create_index("ix_review_reasons_review", "review_reasons", ["review"])


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("password", sa.String(length=256), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("login", name=op.f("uq_people_login")),
    )
    op.create_table(
        "sessions",
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person"], ["people.id"], name=op.f("fk_sessions_person"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("secret", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_person", "sessions", ["person"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "sign_in_attempts",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sign_in_attempts")),
    )
    op.create_table(
        "skips",
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("review", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person"], ["people.id"], name=op.f("fk_skips_person"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["review"], ["reviews.id"], name=op.f("fk_skips_review"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person", "review", name=op.f("pk_skips")),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("person", sa.Uuid(), nullable=True),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("job", sa.Uuid(), nullable=True),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    for column in ("subject", "person", "job"):
        op.create_index(f"ix_audit_{column}", "audit", [column, "id"])


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in ("audit", "skips", "sign_in_attempts", "sessions", "people", "review_reasons"):
        op.drop_table(table)
    if dialect == "postgresql":
        op.execute("DROP FUNCTION packshot_audit_only_grows()")
        op.drop_index("ix_jobs_words", table_name="jobs")
    for name, _, _ in INDEXES:
        op.drop_index(name, table_name="reviews")
    with op.batch_alter_table("reviews") as reviews:
        for column in reversed(columns_of_reviews()):
            reviews.drop_column(column.name)
    with op.batch_alter_table("steps") as steps:
        steps.drop_column("correction")
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_column("words")
        jobs.drop_column("policy")
