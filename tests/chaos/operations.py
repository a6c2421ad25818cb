"""Scenarios: another release, a wrong clock, the reconciler's death, the real models."""

import contextlib
import time

import psutil  # type: ignore[import-untyped] # has no stubs
import psycopg

from tests.chaos.checker import plain
from tests.chaos.scenario import Faults, Guard, Load, Post, Server, scenario
from tests.chaos.world import Skipped, World

#: An hour, in seconds.
_HOUR = 3600.0
#: Seconds to wait for somebody to hold the reconciler's lock.
_LOCK_SECONDS = 15.0


@scenario(
    Post("all"),
    Post("all", faults=Faults(pipeline="packshot-of-another-release")),
    guards=(Guard.LATE_ACK, Guard.RECONCILER),
)
def _two_releases(world: World) -> None:
    """Workers of two releases share the work while each of them is killed once."""
    for name in (*world.crew.members,):
        world.reach(world.rng.uniform(0.1, 0.6))
        with world.fault():
            world.crew.kill(name)


@scenario(
    Post("all"),
    Post("all", faults=Faults(clock_offset=_HOUR, clock_after=6.0)),
    lines=(Server.POSTGRES,),
    patience=90.0,
)
def _wrong_clock(world: World) -> None:
    """The clock of one worker jumps an hour ahead, and steps have to be put back."""
    _clock_play(world)


@scenario(
    Post("all"),
    Post("all", faults=Faults(clock_offset=-_HOUR, clock_after=6.0)),
    lines=(Server.POSTGRES,),
    patience=90.0,
)
def _late_clock(world: World) -> None:
    """The clock of one worker jumps an hour back, and steps have to be put back."""
    _clock_play(world)


def _clock_play(world: World) -> None:
    assert world.site.postgres_line is not None
    for _ in world.moments(2, first=0.2, last=0.6):
        with world.fault():
            world.site.postgres_line.cut()
            world.pause(8.0, 10.0)  # longer than a step insists: the message goes back
            world.site.postgres_line.heal()


@scenario(Post("io"), Post("io"), Post("gpu"), patience=90.0)
def _reconciler_dies(world: World) -> None:
    """kill -9 of the worker that holds the reconciler's lock."""
    world.reach(world.rng.uniform(0.05, 0.3))
    holder = _holder(world)
    with world.fault():
        world.crew.kill(holder)
    world.reach(0.7)


@scenario(
    Post("all", fake_seconds=None),
    Post("all", fake_seconds=None),
    load=Load(most=30, rate=2.0),
    models=True,
    patience=75.0,
    guards=(Guard.LATE_ACK, Guard.RECONCILER),
)
def _real_models(world: World) -> None:
    """kill -9 of workers with the real models."""
    for _ in world.moments(2, last=0.6):
        world.kill_worker()


def _holder(world: World) -> str:
    """The worker whose database connection holds an advisory lock, found by its socket."""
    query = (
        "SELECT client_port FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    )
    end = time.monotonic() + _LOCK_SECONDS
    while time.monotonic() < end:
        with psycopg.connect(plain(world.site.database)) as db:
            ports = {row[0] for row in db.execute(query).fetchall()}
        for pid, name in world.crew.pids().items():
            with contextlib.suppress(psutil.Error):
                if any(
                    line.laddr.port in ports for line in psutil.Process(pid).net_connections("tcp")
                ):
                    return name
        time.sleep(0.05)
    raise Skipped("no worker holds a reconciler's lock")
