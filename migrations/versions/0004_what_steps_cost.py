"""What each step has spent: seconds of the device and of CPU, bytes moved.

The release before writes none of it, which means unknown.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COLUMNS = {
    "device_seconds": sa.Double,
    "cpu_seconds": sa.Double,
    "bytes_read": sa.BigInteger,
    "bytes_written": sa.BigInteger,
}


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("steps", sa.Column(name, kind(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("steps") as steps:
        for name in COLUMNS:
            steps.drop_column(name)
