"""What has become of every job, seen with other eyes than the product's own.

Tables are read with plain SQL, objects by listing the bucket, events from a queue of our own. The
product's code is not asked: it might be wrong in both places in the same way.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.chaos.load import OUTPUTS, SOURCE, Order

#: Events that end a job, by the status that they tell of.
FINAL = {"accepted": "job.accepted", "review": "job.review_requested", "failed": "job.failed"}
#: Codes that a guilty job may fail with, by the kind of its guilt.
Codes = Mapping[str, str]
#: Reads an object; None where there is none.
Read = Callable[[str], bytes | None]


@dataclass
class Findings:
    """What was counted. The bar is that `violations` is empty."""

    submitted: int = 0
    settled: int = 0
    #: Jobs that the producer could not hand in although it tried until the end.
    unsent: int = 0
    #: Confirmed to the producer, and the ledger has never heard of it.
    lost: int = 0
    #: Not settled when nothing moved any more.
    stuck: int = 0
    #: Jobs with two final events of different ids, two reviews, or two versions of an artifact.
    final_twice: int = 0
    #: Settled jobs whose event did not come.
    events_missing: int = 0
    #: Events that came again under the same id, which the contract allows.
    events_repeated: int = 0
    #: Objects that the ledger names and the bucket does not hold with those bytes.
    artifacts_missing: int = 0
    #: Finished jobs whose result lacks a picture.
    incomplete: int = 0
    #: Innocent jobs that failed, and guilty ones that ended otherwise than they should.
    wrong_end: int = 0
    #: Messages of innocent jobs among the dead letters, and refused messages.
    innocent_dead: int = 0
    #: Jobs that failed as poison and whose message is not kept for a person.
    unkept: int = 0
    #: Jobs that the reconciler had to start again.
    reconciled: int = 0
    #: Objects that no row names: rubbish, but nobody's loss.
    orphans: int = 0
    #: Steps that were begun more than once: work done for nothing.
    recomputed: int = 0
    #: Messages left in the stages' queues at the end.
    left: int = 0
    #: Seconds from the end of the last fault until every job that was there then was settled.
    recovery_s: float = 0.0
    faults: int = 0
    #: Faults that came while there was work to be hurt.
    hits: int = 0
    restarts: int = 0
    seconds: float = 0.0
    #: Worker processes that did not end well when they were asked to.
    bad_exits: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def manual(self) -> int:
        """Jobs that a person would have to look after."""
        return self.unsent + self.lost + self.stuck + self.wrong_end + self.innocent_dead

    @property
    def violations(self) -> dict[str, int]:
        """What must be zero and is not."""
        bars = (
            *("unsent", "lost", "stuck", "final_twice", "events_missing", "artifacts_missing"),
            *("incomplete", "wrong_end", "innocent_dead", "unkept"),
        )
        return {name: getattr(self, name) for name in bars if getattr(self, name)}

    @property
    def tested(self) -> bool:
        """Whether anything was broken while there was something to break."""
        return self.hits > 0


@dataclass(frozen=True)
class Evidence:
    """What was read where."""

    order: Order
    confirmed: frozenset[str]
    rows: "Rows"
    events: list[dict[str, Any]]
    keys: frozenset[str]
    read: Read
    #: Bodies of dead letters and of refused messages.
    dead: list[bytes]
    rejected: list[bytes]


@dataclass(frozen=True)
class Rows:
    """The ledger's tables, as plain rows."""

    jobs: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    artifacts: list[dict[str, Any]]
    outbox: list[dict[str, Any]]
    reviews: list[dict[str, Any]]

    @classmethod
    def read(cls, url: str) -> "Rows":
        """Read everything over a connection of our own."""
        with psycopg.connect(plain(url), row_factory=dict_row) as db:
            return cls(
                jobs=db.execute("SELECT * FROM jobs WHERE source = %s", (SOURCE,)).fetchall(),
                steps=db.execute("SELECT * FROM steps").fetchall(),
                artifacts=db.execute("SELECT * FROM artifacts").fetchall(),
                outbox=db.execute("SELECT * FROM outbox").fetchall(),
                reviews=db.execute("SELECT * FROM reviews").fetchall(),
            )


def plain(url: str) -> str:
    """The address of a database without SQLAlchemy's name of the driver."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def examine(evidence: Evidence, codes: Codes) -> Findings:
    """Count what is wrong."""
    rows, found = evidence.rows, Findings()
    by_name = {row["job_id"]: row for row in rows.jobs}
    found.submitted = len(evidence.confirmed)
    found.settled = sum(row["status"] in FINAL for row in rows.jobs)
    found.unsent = len(evidence.order.jobs) - len(evidence.confirmed)
    found.lost = len(evidence.confirmed - by_name.keys())
    found.stuck = len(rows.jobs) - found.settled
    found.reconciled = sum(row.get("nudged_at") is not None for row in rows.jobs)
    found.recomputed = sum(max(0, row["fence"] - 1) for row in rows.steps)
    _look_at_ends(evidence, codes, found)
    _look_at_events(evidence, found)
    _look_at_objects(evidence, found)
    _look_at_dead(evidence, found)
    return found


def _look_at_ends(evidence: Evidence, codes: Codes, found: Findings) -> None:
    wanted = {output.name for output in OUTPUTS}
    for row in evidence.rows.jobs:
        if row["status"] not in FINAL:
            found.notes.append(
                f"{row['job_id']} is {row['status']}: {_way(evidence.rows, row['id'])}"
            )
            continue
        guilt = evidence.order.guilty.get(row["job_id"])
        expected = (codes[guilt],) if guilt else ()
        failed = (row["code"],) if row["status"] == "failed" else ()
        if failed != expected:
            found.wrong_end += 1
            found.notes.append(
                f"{row['job_id']} ({guilt or 'innocent'}) is {row['status']}: "
                f"{row['code']}: {row['message']}"
            )
        pictures = (row["result"] or {}).get("pictures", ())
        if not failed and {one["name"] for one in pictures} != wanted:
            found.incomplete += 1


def _way(rows: Rows, job: object) -> str:
    """Where a job's steps are, for whoever has to find out why it stopped."""
    steps = sorted((row for row in rows.steps if row["job"] == job), key=lambda r: r["position"])
    return ", ".join(
        f"{row['name']} {row['status']} (fence {row['fence']}, attempt {row['attempt']}, "
        f"{row['worker']})"
        for row in steps
        if row["status"] != "done"
    )


def _look_at_events(evidence: Evidence, found: Findings) -> None:
    """Count final events by job: those that came, and those that the outbox holds."""
    times = Counter(event["id"] for event in evidence.events)
    found.events_repeated = sum(times.values()) - len(times)
    came: dict[str, set[str]] = defaultdict(set)
    written: dict[str, set[str]] = defaultdict(set)
    for event in (*evidence.events, *(row["event"] for row in evidence.rows.outbox)):
        if event["type"] in FINAL.values():
            written[event["data"]["job_id"]].add(event["id"])
    for event in evidence.events:
        came[event["data"].get("job_id", "")].add(event["type"])
    reviews = Counter(row["job"] for row in evidence.rows.reviews)
    versions = {row["job"] for row in evidence.rows.artifacts if row["version"] > 1}
    for row in evidence.rows.jobs:
        twice = len(written[row["job_id"]]) > 1 or reviews[row["id"]] > 1 or row["id"] in versions
        found.final_twice += twice
        if row["status"] in FINAL and FINAL[row["status"]] not in came[row["job_id"]]:
            found.events_missing += 1
            found.notes.append(f"{row['job_id']} is {row['status']}, and no event said so")


def _look_at_objects(evidence: Evidence, found: Findings) -> None:
    promised = [
        *((row["key"], row["sha256"], row["bytes"]) for row in evidence.rows.artifacts),
        *(
            (one["key"], one["sha256"], one["bytes"])
            for row in evidence.rows.jobs
            for one in (row["result"] or {}).get("pictures", ())
        ),
    ]
    for key, sha256, size in _once(promised):
        data = evidence.read(key)
        if data is None or len(data) != size or hashlib.sha256(data).hexdigest() != sha256:
            found.artifacts_missing += 1
            found.notes.append(f"{key} is {'gone' if data is None else 'not what was written'}")
    named = {key for key, _, _ in promised}
    found.orphans = sum(
        key not in named for key in evidence.keys if not key.startswith(("uploads/", "check-"))
    )


def _look_at_dead(evidence: Evidence, found: Findings) -> None:
    names = {str(row["id"]): row["job_id"] for row in evidence.rows.jobs}
    dead = {names.get(_job_of(body), "unknown") for body in evidence.dead}
    poisoned = {row["job_id"] for row in evidence.rows.jobs if row["code"] == "poison"}
    found.unkept = len(poisoned - dead)
    innocent = dead - evidence.order.guilty.keys()
    found.innocent_dead = len(innocent) + len(evidence.rejected)
    found.notes.extend(f"{name} is among the dead letters" for name in sorted(innocent))
    found.notes.extend(f"refused: {body[:200]!r}" for body in evidence.rejected)


def _job_of(body: bytes) -> str:
    try:
        return str(json.loads(body)[1]["job"])
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def _once(promised: Iterable[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    return list(dict.fromkeys(promised))
