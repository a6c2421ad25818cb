"""Scenarios: the broker dies, goes away, forgets, is full, or the line to it goes silent."""

from kombu import Connection

from packshot.contract import Lane, Step, queue_name
from tests.chaos.scenario import Faults, Guard, Load, Post, Server, Window, scenario
from tests.chaos.world import World
from tests.support.cutproxy import Mode

#: Seconds between heartbeats where a line goes silent: the product's own 30 would take minutes.
_HEARTBEAT = 3
#: Seconds per step where messages shall wait in queues.
_SLOW = 0.1


@scenario(
    load=Load(rate=None),
    own=(Server.RABBIT,),
    patience=75.0,
    guards=(Guard.LATE_ACK, Guard.CONFIRMS, Guard.OUTBOX, Guard.RECONCILER),
)
def _kill_broker(world: World) -> None:
    """kill -9 of RabbitMQ."""
    for _ in world.moments(2, last=0.6):
        with world.fault():
            world.rabbit.kill()
            world.pause(1.0, 4.0)
            world.rabbit.start()


@scenario(load=Load(rate=None), own=(Server.RABBIT,), patience=75.0)
def _pause_broker(world: World) -> None:
    """RabbitMQ freezes for some seconds."""
    for _ in world.moments(2, last=0.6):
        with world.fault():
            world.rabbit.pause()
            world.pause(5.0, 8.0)
            world.rabbit.resume()


@scenario(
    load=Load(rate=None),
    own=(Server.RABBIT,),
    patience=75.0,
    guards=(Guard.LATE_ACK, Guard.RECONCILER),
)
def _kill_broker_and_worker(world: World) -> None:
    """kill -9 of RabbitMQ and, while it is down, of a worker."""
    world.reach(world.rng.uniform(0.1, 0.4))
    with world.fault():
        name = world.await_victim()
        world.rabbit.kill()
        world.crew.kill(name)
        world.pause(1.0, 4.0)
        world.rabbit.start()


@scenario(
    lines=(Server.RABBIT,), patience=75.0, guards=(Guard.CONFIRMS, Guard.OUTBOX, Guard.RECONCILER)
)
def _cut_broker(world: World) -> None:
    """Connections to RabbitMQ are reset, again and again."""
    assert world.site.rabbit_line is not None
    for _ in world.moments(5):
        with world.fault():
            world.site.rabbit_line.reset()


_BEATING = Post("all", faults=Faults(heartbeat=_HEARTBEAT))


@scenario(
    _BEATING,
    _BEATING,
    lines=(Server.RABBIT,),
    patience=90.0,
    guards=(Guard.VERDICT, Guard.FENCE),
)
def _silent_line(world: World) -> None:
    """The line to RabbitMQ goes silent for longer than the heartbeat."""
    assert world.site.rabbit_line is not None
    world.reach(world.rng.uniform(0.1, 0.5))
    with world.fault():
        world.site.rabbit_line.mode = Mode.BLACKHOLE
        world.pause(4.0 * _HEARTBEAT, 5.0 * _HEARTBEAT)
        world.site.rabbit_line.reset()
        world.site.rabbit_line.heal()


@scenario(
    Post("io"),
    Post("gpu", fake_seconds=_SLOW),
    load=Load(rate=None),
    settings={"PACKSHOT_QUEUE_LIMIT": "5"},
    patience=90.0,
    guards=(Guard.PATIENCE, Guard.RECONCILER),
)
def _full_queues(world: World) -> None:
    """Queues hold five messages; everybody in front of them has to wait."""
    with world.fault():
        world.reach(1.0)


@scenario(
    Post("all"),
    Post("all"),
    load=Load(rate=None),
    settings={"PACKSHOT_QUEUE_LIMIT": "5"},
    patience=90.0,
)
def _full_queues_all(world: World) -> None:
    """Queues hold five messages, and those who fill them are those who empty them."""
    with world.fault():
        world.reach(1.0)


@scenario(
    Post("io"),
    Post("gpu", fake_seconds=_SLOW),
    load=Load(rate=None),
    patience=90.0,
    guards=(Guard.RECONCILER,),
)
def _broker_forgets(world: World) -> None:
    """Every step's queue is emptied: the ledger has to start the jobs again."""
    for _ in world.moments(1, last=0.3):
        _forget(world)


_RECONCILES = Post("io", faults=Faults(window=Window.RECONCILED_BEFORE_START, chance=1.0, budget=2))


@scenario(
    _RECONCILES,
    _RECONCILES,
    Post("gpu", fake_seconds=_SLOW),
    load=Load(rate=None),
    patience=90.0,
    guards=(Guard.RECONCILER,),
)
def _reconciler_dies(world: World) -> None:
    """The broker forgets, and the worker that starts the jobs again dies before it has."""
    for _ in world.moments(1, last=0.3):
        _forget(world)
    world.reach(1.0)


def _forget(world: World) -> None:
    """Empty every step's queue; it is a fault only if there was something in them."""
    gone = 0
    with world.fault(), Connection(world.site.rabbit_url) as connection:
        channel = connection.channel()
        for step in Step:
            for lane in Lane:
                gone += channel.queue_purge(queue_name(step, lane)) or 0
    world.notes.append(f"{gone} messages were forgotten")
    if not gone:
        world.hits -= 1


@scenario(load=Load(twice=True), guards=(Guard.VERDICT, Guard.FENCE))
def _sent_twice(world: World) -> None:
    """Every message is sent twice, from two connections, in two orders."""
    with world.fault():
        world.reach(1.0)
