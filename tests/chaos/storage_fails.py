"""Scenarios: the object store is away, slow, throttling, or breaks off; a disk is full."""

import resource

from tests.chaos.scenario import Load, Post, Server, scenario
from tests.chaos.world import Skipped, World


@scenario(own=(Server.S3,), patience=90.0)
def _kill_storage(world: World) -> None:
    """kill -9 of the object store."""
    for _ in world.moments(2, last=0.6):
        with world.fault():
            world.s3.kill()
            world.pause(1.0, 6.0)
            world.s3.start()


@scenario(lines=(Server.S3,), patience=75.0)
def _cut_storage(world: World) -> None:
    """The object store is slow, then refuses, then breaks off in the middle of answers."""
    line = world.site.s3_line
    assert line is not None
    for number, _ in enumerate(world.moments(6)):
        with world.fault():
            if number % 3 == 0:
                line.delay_s = 0.5
            elif number % 3 == 1:
                line.cut()
            else:
                line.reset()
                line.truncate_after = 2000
            world.pause(1.0, 4.0)
            line.heal()


@scenario(storms=True, patience=75.0)
def _storage_storms(world: World) -> None:
    """The object store answers 503, forgets to answer, and breaks off."""
    storm = world.site.storm
    assert storm is not None
    for _ in world.moments(3):
        with world.fault():
            storm.refuse, storm.forget, storm.truncate = 0.5, 0.2, 0.3
            world.pause(2.0, 5.0)
            storm.heal()
    world.notes.append(
        f"{storm.refused} answers 503, {storm.forgotten} lost, {storm.truncated} broken off"
    )


@scenario(
    Post("all"),
    Post("all"),
    load=Load(inline=True),
    settings={"PACKSHOT_BLOBS": "folder"},
    patience=75.0,
)
def _full_disk(world: World) -> None:
    """The disk of one worker is full for a while: no file of its may grow."""
    world.reach(world.rng.uniform(0.1, 0.3))
    name = world.await_victim()
    pid = next(pid for pid, holder in world.crew.pids().items() if holder == name)
    if not hasattr(resource, "prlimit"):
        raise Skipped("this system cannot limit another process's files")
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    with world.fault():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
        world.pause(5.0, 8.0)
        if pid in world.crew.pids():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
