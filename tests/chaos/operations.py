"""Scenarios: another release, a wrong clock, the real models."""

from tests.chaos.scenario import Faults, Guard, Load, Post, Server, scenario
from tests.chaos.world import World

#: Seconds after the start of a worker at which its clock jumps.
_JUMP_SECONDS = 6.0


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


def _off_by(seconds: float) -> Post:
    return Post("all", faults=Faults(clock_offset=seconds, clock_after=_JUMP_SECONDS))


@scenario(Post("all"), _off_by(3600.0), lines=(Server.POSTGRES,), patience=90.0)
def _clock_hour_ahead(world: World) -> None:
    """The clock of one worker jumps an hour ahead, more than an object store accepts."""
    _clock_play(world)


@scenario(Post("all"), _off_by(600.0), lines=(Server.POSTGRES,), patience=90.0)
def _clock_minutes_ahead(world: World) -> None:
    """The clock of one worker jumps ten minutes ahead, and steps have to be put back."""
    _clock_play(world)


@scenario(Post("all"), _off_by(-600.0), lines=(Server.POSTGRES,), patience=90.0)
def _clock_minutes_behind(world: World) -> None:
    """The clock of one worker jumps ten minutes back, and steps have to be put back."""
    _clock_play(world)


def _clock_play(world: World) -> None:
    assert world.site.postgres_line is not None
    for _ in world.moments(2, first=0.2, last=0.6):
        with world.fault():
            world.site.postgres_line.cut()
            world.pause(8.0, 10.0)  # longer than a step insists: the message goes back
            world.site.postgres_line.heal()


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
