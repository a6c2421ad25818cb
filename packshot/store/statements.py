"""The statements that every step of every job runs, built once.

The ORM's unit of work costs more than these statements themselves, and so does building them anew
each time. They take plain parameters; a list of parameters runs a statement for each in one go.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Executable,
    Table,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from packshot.contract import Step
from packshot.store.schema import Moment
from packshot.store.tables import (
    ArtifactRow,
    JobRow,
    JobStatus,
    OutboxRow,
    StepRow,
    StepStatus,
)

JOBS = cast("Table", JobRow.__table__)
STEPS = cast("Table", StepRow.__table__)
#: What the intake says of a new job.
_NEW_JOB = ("source", "job_id", "sku", "lane", "request", "digest", "pipeline", "words")
_ARTIFACTS = cast("Table", ArtifactRow.__table__)


class Timed:
    """Statements that take a job's lock, with the moment of the transaction in their answer."""

    def __init__(self, moment: ColumnElement[datetime]) -> None:
        """Build them for a clock: `moment` is that clock's time in SQL."""
        self.moment = moment
        this_job = JOBS.c.id == bindparam("of_job")
        #: Read how the job stands.
        self.lock_job = (
            select(JOBS.c.status, JOBS.c.request, JOBS.c.created_at, moment.label("now"))
            .where(this_job)
            .with_for_update()
        )
        #: Mark the job as moving.
        self.touch_job = (
            update(JOBS).where(this_job).values(updated_at=moment).returning(JOBS.c.updated_at)
        )


#: The database's own clock, and one that the caller passes as the parameter `now`.
BY_DATABASE = Timed(func.now(type_=Moment()))
BY_CALLER = Timed(bindparam("now", type_=Moment()))

#: The columns of a step that decide what to do with it.
READ_STEPS = (
    select(
        *(STEPS.c.name, STEPS.c.status, STEPS.c.attempt, STEPS.c.fence),
        *(STEPS.c.worker, STEPS.c.lease_until, STEPS.c.result, STEPS.c.correction),
        *(STEPS.c.finished_at, STEPS.c.carrier),
    )
    .where(STEPS.c.job == bindparam("job"))
    .order_by(STEPS.c.position)
)

#: A finished result for the same input, and the objects that belong to it.
KNOWN_STEP = (
    select(STEPS.c.job, STEPS.c.result, STEPS.c.confidence)
    .where(
        STEPS.c.input_key == bindparam("input_key"),
        STEPS.c.name == bindparam("name"),
        STEPS.c.status == StepStatus.DONE,
    )
    .limit(1)
)
KNOWN_ARTIFACTS = select(
    *(_ARTIFACTS.c.name, _ARTIFACTS.c.key, _ARTIFACTS.c.media_type),
    *(_ARTIFACTS.c.bytes, _ARTIFACTS.c.sha256),
).where(_ARTIFACTS.c.job == bindparam("of_job"), _ARTIFACTS.c.step == bindparam("step"))

#: What inserts a row unless there is one already, by the database.
_INSERTS: dict[str, Callable[[Table], postgresql.Insert | sqlite.Insert]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


@cache
def insert_job(dialect: str, timed: Timed) -> Executable:
    """Insert a job; answers its id, or nothing where one of its name is there."""
    values: dict[str, Any] = {
        **{column: bindparam(column) for column in _NEW_JOB},
        "id": bindparam("of_job"),
        "status": JobStatus.QUEUED,
        "created_at": timed.moment,
        "updated_at": timed.moment,
    }
    one = _INSERTS[dialect](JOBS).values(values)
    return one.on_conflict_do_nothing(index_elements=["source", "job_id"]).returning(JOBS.c.id)


@cache
def insert_steps(chain: tuple[Step, ...]) -> Executable:
    """Insert every step of a job in one go."""
    rows = [
        {
            "job": bindparam("of_job"),
            "name": step,
            "position": position,
            "status": StepStatus.PENDING,
            "attempt": 0,
            "fence": 0,
            "reused": False,
        }
        for position, step in enumerate(chain)
    ]
    return insert(STEPS).values(rows)


INSERT_EVENT = insert(cast("Table", OutboxRow.__table__))

_this_step = update(STEPS).where(
    STEPS.c.job == bindparam("of_job"), STEPS.c.name == bindparam("of_name")
)
_opens = _this_step.values(
    status=StepStatus.RUNNING,
    worker=bindparam("worker"),
    carrier=bindparam("carrier"),
    lease_until=bindparam("lease_until"),
    started_at=bindparam("started_at"),
    code=None,
    message=None,
)
#: Begin a step, and with it the job.
OPEN_STEP = _opens.values(attempt=bindparam("attempt"), fence=bindparam("fence"))
#: Begin the step behind one that is closed in the same transaction, where nobody has begun it.
OPEN_NEXT_STEP = (
    _opens.where(STEPS.c.status == StepStatus.PENDING, STEPS.c.attempt == 0)
    .values(attempt=1, fence=STEPS.c.fence + 1)
    .returning(STEPS.c.fence, STEPS.c.correction, STEPS.c.result)
)
OPEN_JOB = (
    update(JOBS)
    .where(JOBS.c.id == bindparam("of_job"))
    .values(status=bindparam("status"), updated_at=bindparam("updated_at"))
)

#: Write a step's result; the fence and the status are what its holder must still have.
CLOSE_STEP_UNFENCED = _this_step.values(
    status=StepStatus.DONE,
    result=bindparam("result"),
    confidence=bindparam("confidence"),
    seconds=bindparam("seconds"),
    device_seconds=bindparam("device_seconds"),
    cpu_seconds=bindparam("cpu_seconds"),
    bytes_read=bindparam("bytes_read"),
    bytes_written=bindparam("bytes_written"),
    input_key=bindparam("input_key"),
    reused=bindparam("reused"),
    finished_at=bindparam("finished_at"),
    lease_until=None,
)
CLOSE_STEP = CLOSE_STEP_UNFENCED.where(
    STEPS.c.fence == bindparam("held_fence"), STEPS.c.status == StepStatus.RUNNING
)

#: One more than the last version: a new object never overwrites an old one. The job's lock keeps
#: two writers from taking the same number.
_earlier = _ARTIFACTS.alias("earlier")
_last = select(func.max(_earlier.c.version)).where(
    _earlier.c.job == bindparam("of_job"), _earlier.c.name == bindparam("of_name")
)
INSERT_ARTIFACT = insert(_ARTIFACTS).values(
    id=bindparam("id"),
    job=bindparam("of_job"),
    step=bindparam("step"),
    name=bindparam("of_name"),
    version=func.coalesce(_last.scalar_subquery(), 0) + 1,
    key=bindparam("key"),
    media_type=bindparam("media_type"),
    bytes=bindparam("bytes"),
    sha256=bindparam("sha256"),
    created_at=bindparam("created_at"),
)
#: The same for a single object; answers the version that it got.
INSERT_ARTIFACT_VERSION = INSERT_ARTIFACT.returning(_ARTIFACTS.c.version)
