"""Settings that contradict each other, or the machine that they are for."""

import os
from collections.abc import Iterator
from pathlib import Path

from workers.doctor.finding import Finding, Subject, ok, warning

#: A lease shorter than this ends in an ordinary pause (a failover of the database, a full garbage
#: collection), and healthy workers lose their steps; seconds.
SHORT_LEASE = 10
#: Runtime threads for each core before the models only wait for each other.
CROWD = 2
#: What the kernel says a container may use: "quota period" in microseconds, or "max period".
_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")


def check_machine(subject: Subject) -> Iterator[Finding]:
    """Leases, threads, and settings that only fit together with others."""
    found = [*_times(subject), *_threads(subject)]
    if not subject.embedded:
        found += _shared(subject)
    yield from found or [ok("The settings fit together and fit this machine.")]


def _times(subject: Subject) -> Iterator[Finding]:
    settings = subject.settings
    lease, step, drain = settings.lease_seconds, settings.step_seconds, settings.drain_seconds
    if lease < SHORT_LEASE and not subject.embedded:
        yield warning(
            f"A lease lasts {lease} s: a short pause of the database makes living workers look "
            "dead, and their steps are begun again.",
            f"Set PACKSHOT_LEASE_SECONDS to {SHORT_LEASE} or more; 30 is usual.",
        )
    if lease > step:
        yield warning(
            f"A lease lasts {lease} s, longer than the longest step ({step:g} s): the steps of a "
            "killed worker stand still for as long.",
            "Set PACKSHOT_LEASE_SECONDS under PACKSHOT_STEP_SECONDS; leases are renewed.",
        )
    if drain < min(step, 60):
        yield warning(
            f"A worker that is stopped gives its steps {drain:g} s, less than they may take "
            f"({step:g} s): they are begun again elsewhere.",
            "Raise PACKSHOT_DRAIN_SECONDS, and the grace period of whatever stops the workers.",
        )


def _threads(subject: Subject) -> Iterator[Finding]:
    cores, threads = available_cores(), subject.settings.threads
    at_once = threads * subject.role.concurrency
    if at_once > CROWD * max(1.0, cores):
        yield warning(
            f"{subject.role.concurrency} steps at once with {threads} threads each are {at_once} "
            f"threads for {cores:g} cores.",
            "Lower PACKSHOT_THREADS first, then `packshot worker --concurrency`.",
        )


def _shared(subject: Subject) -> Iterator[Finding]:
    settings = subject.settings
    if settings.database_url is None:
        yield warning(
            "The ledger is a file of this machine: workers on other machines have another one.",
            "Set PACKSHOT_DATABASE_URL to a Postgres that all of them reach.",
        )
    if settings.blobs is None:
        yield warning(
            "Objects lie in a folder of this machine: workers on other machines do not see them.",
            "Set PACKSHOT_BLOBS to s3://bucket, or to a folder that all of them share.",
        )
    if settings.allow_files:
        yield warning(
            "Producers may name files of the workers' machines.",
            "Unset PACKSHOT_ALLOW_FILES: only the embedded run needs it.",
        )


def available_cores(cpu_max: Path = _CPU_MAX) -> float:
    """Cores that this process may use: what the scheduler allows, cut by a container's quota."""
    if hasattr(os, "sched_getaffinity"):
        cores = float(len(os.sched_getaffinity(0)))
    else:
        cores = float(os.cpu_count() or 1)
    try:
        quota, period = cpu_max.read_text().split()
        return min(cores, int(quota) / int(period))
    except (OSError, ValueError):  # no such file, or "max": no quota
        return cores
