"""Scenarios: the database dies, its line is cut, or goes silent."""

from tests.chaos.scenario import Guard, Server, scenario
from tests.chaos.world import World
from tests.support.cutproxy import Mode


@scenario(own=(Server.POSTGRES,), patience=75.0)
def _kill_database(world: World) -> None:
    """kill -9 of Postgres."""
    for _ in world.moments(3, last=0.6):
        with world.fault():
            world.postgres.kill()
            world.pause(0.5, 4.0)
            world.postgres.start()


@scenario(
    own=(Server.POSTGRES,),
    patience=90.0,
    guards=(Guard.LATE_ACK, Guard.LATE_INTAKE, Guard.RECONCILER),
)
def _long_outage_of_database(world: World) -> None:
    """Postgres is away for longer than a step insists, and a worker dies meanwhile."""
    world.reach(world.rng.uniform(0.1, 0.4))
    with world.fault():
        world.postgres.kill()
        world.pause(8.0, 12.0)
        world.crew.kill(world.await_victim())
        world.pause(4.0, 6.0)
        world.postgres.start()


@scenario(lines=(Server.POSTGRES,), patience=75.0, guards=(Guard.LOST_ANSWERS, Guard.RECONCILER))
def _cut_database(world: World) -> None:
    """Connections to Postgres are reset, again and again: commits lose their answers."""
    assert world.site.postgres_line is not None
    for _ in world.moments(8):
        with world.fault():
            world.site.postgres_line.reset()


@scenario(lines=(Server.POSTGRES,), patience=120.0)
def _silent_database(world: World) -> None:
    """The line to Postgres goes silent for longer than a lease."""
    assert world.site.postgres_line is not None
    world.reach(world.rng.uniform(0.1, 0.4))
    with world.fault():
        world.site.postgres_line.mode = Mode.BLACKHOLE
        world.pause(8.0, 10.0)
        world.site.postgres_line.heal()
