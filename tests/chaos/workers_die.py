"""Scenarios: worker processes end without warning, or are asked to end under load."""

from tests.chaos.scenario import Faults, Guard, Load, Post, Window, scenario
from tests.chaos.world import World

#: A chance per passage that gives a handful of kills among some hundreds of passages.
_CHANCE = 0.04


@scenario(Post("all"), Post("all"), guards=(Guard.LATE_ACK, Guard.RECONCILER))
def _kill_all(world: World) -> None:
    """kill -9 of workers that do everything."""
    for _ in world.moments(4):
        world.kill_worker()


@scenario(Post("io"), Post("gpu"), Post("gpu"), guards=(Guard.LATE_ACK, Guard.RECONCILER))
def _kill_roles(world: World) -> None:
    """kill -9 of io and gpu workers."""
    for _ in world.moments(5):
        world.kill_worker()


def _dies(window: Window, chance: float = _CHANCE, budget: int = 5) -> tuple[Post, Post]:
    post = Post("all", faults=Faults(window=window, chance=chance, budget=budget))
    return post, post


@scenario(*_dies(Window.BEFORE_COMMIT), guards=(Guard.LATE_ACK, Guard.RECONCILER))
def _die_before_commit(world: World) -> None:
    """A worker dies when a step is computed and not written."""
    world.reach(1.0)


@scenario(*_dies(Window.AFTER_COMMIT), guards=(Guard.VERDICT, Guard.FENCE))
def _die_after_commit(world: World) -> None:
    """A worker dies when a step is written and not handed on."""
    world.reach(1.0)


@scenario(*_dies(Window.BEFORE_ACK, chance=0.2), guards=(Guard.VERDICT, Guard.FENCE))
def _die_before_ack(world: World) -> None:
    """A worker dies when a step is handed on and not acknowledged."""
    world.reach(1.0)


@scenario(
    *_dies(Window.INTAKE_BEFORE_START, chance=0.2),
    guards=(Guard.LATE_INTAKE, Guard.RECONCILER),
)
def _die_before_start(world: World) -> None:
    """A worker dies when a job is in the ledger and its chain is not out."""
    world.reach(1.0)


@scenario(*_dies(Window.INTAKE_BEFORE_ACK, chance=0.2), guards=(Guard.VERDICT, Guard.FENCE))
def _die_before_intake_ack(world: World) -> None:
    """A worker dies when the chain is out and the producer's message not acknowledged."""
    world.reach(1.0)


@scenario(*_dies(Window.RELAY_BEFORE_MARK, chance=0.1), guards=(Guard.LATE_ACK, Guard.RECONCILER))
def _die_before_mark(world: World) -> None:
    """A worker dies when an event is out and the outbox does not know."""
    world.reach(1.0)


@scenario(Post("io"), Post("all"), Post("gpu"), load=Load(rate=8.0))
def _rolling_restart(world: World) -> None:
    """SIGTERM to every worker, one after the other, under load."""
    for name, share in zip(world.crew.members, (0.1, 0.3, 0.5), strict=True):
        world.reach(share)
        with world.fault():
            world.crew.replace(name)
