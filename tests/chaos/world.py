"""One scenario from the first photo to the count: what `play` may do, and what is found after."""

import contextlib
import dataclasses
import math
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from packshot.contract import DEAD_QUEUE, INTAKE_QUEUES, REJECTED_QUEUE, Lane, Step, queue_name
from tests.chaos import wrong_clock
from tests.chaos.checker import Evidence, Findings, Read, Rows, examine, plain
from tests.chaos.crew import Crew
from tests.chaos.load import Order, Producer, order
from tests.chaos.recorder import Recorder, drain
from tests.chaos.scenario import Guard, Post, Scenario, Server
from tests.chaos.site import Servers, Site, open_site
from tests.support.fleet import settings_of
from tests.support.installation import install
from tests.support.postgres_server import PrivatePostgres
from tests.support.rabbit_node import RabbitNode
from tests.support.s3_server import S3Server

#: Seconds between two looks at the ledger.
POLL_SECONDS = 0.2
#: Longest wait for something to move where guards are missing: much is lost then, for good.
UNGUARDED_SECONDS = 30.0
#: What moves while work is done: nothing of it may stand still for long.
_PROGRESS = """
    SELECT (SELECT count(*) FROM jobs WHERE status IN ('accepted', 'review', 'failed')),
           (SELECT count(*) FROM jobs),
           (SELECT count(*) FROM steps WHERE status = 'done'),
           (SELECT coalesce(sum(fence), 0) FROM steps),
           (SELECT count(*) FROM outbox WHERE published_at IS NULL)
"""


class Skipped(Exception):
    """The scenario cannot be played here; the message says why."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a scenario is played."""

    jobs: int = 500
    seed: int = 1
    #: Guards to take away.
    without: tuple[Guard, ...] = ()
    other_release: Path | None = None
    #: Keep the folder with the workers' logs.
    keep: Path | None = None


@dataclass
class World:
    """Everything that a scenario's `play` can touch."""

    scenario: Scenario
    options: Options
    servers: Servers
    site: Site
    crew: Crew
    order: Order
    producer: Producer
    rng: random.Random
    faults: int = 0
    hits: int = 0
    last_fault: float = 0.0
    notes: list[str] = field(default_factory=list)
    _settled: int = 0

    @property
    def rabbit(self) -> RabbitNode:
        """The broker of a scenario that owns one."""
        assert Server.RABBIT in self.scenario.own
        return self.servers.rabbit_node()

    @property
    def postgres(self) -> PrivatePostgres:
        """The database server of a scenario that owns one."""
        assert Server.POSTGRES in self.scenario.own
        return self.servers.private_postgres()

    @property
    def s3(self) -> S3Server:
        """The object store of a scenario that owns one."""
        assert Server.S3 in self.scenario.own
        return self.servers.private_s3()

    def progress(self) -> tuple[int, ...]:
        """How far everything is; raises psycopg's errors while the database is down."""
        with psycopg.connect(plain(self.site.database), connect_timeout=2) as db:
            row = db.execute(_PROGRESS).fetchone()
        assert row is not None
        return tuple(int(one) for one in row)

    def settled(self) -> int:
        """How many jobs have ended, as far as the ledger can be asked."""
        with contextlib.suppress(psycopg.Error):
            self._settled = self.progress()[0]
        return self._settled

    def reach(self, share: float) -> None:
        """Wait until this share of the jobs has ended, or nothing moves any more.

        Faults follow the work, not the clock: so they hit on fast machines and on slow ones.
        """
        wanted = share * len(self.order.jobs)
        self._wait(lambda now: now[0] >= wanted)

    def moments(self, count: int, first: float = 0.05, last: float = 0.8) -> Iterator[float]:
        """Yield at `count` random shares of the work, or more for many jobs, once each is done."""
        count *= _times(self.options)
        for share in sorted(self.rng.uniform(first, last) for _ in range(count)):
            self.reach(share)
            yield share

    def pause(self, low: float, high: float) -> None:
        """Let some time pass, in seconds."""
        time.sleep(self.rng.uniform(low, high))

    @contextlib.contextmanager
    def fault(self) -> Iterator[None]:
        """Something is broken while inside. It counts if there was work to be hurt."""
        self.faults += 1
        self.hits += self.settled() < len(self.order.jobs)
        try:
            yield
        finally:
            self.last_fault = time.time()

    def victim(self, role: str = "") -> str | None:
        """One of the consuming workers (of a role), or None if there is none now."""
        there = [name for name in self.crew.alive() if name.startswith(role)]
        return self.rng.choice(there) if there else None

    def await_victim(self, role: str = "") -> str:
        """One of the consuming workers (of a role), as soon as there is one."""
        end = time.monotonic() + 60
        while (name := self.victim(role)) is None:
            if time.monotonic() > end:
                raise AssertionError(f"no worker {role} consumes")
            time.sleep(0.05)
        return name

    def kill_worker(self, role: str = "") -> None:
        """SIGKILL one consuming worker."""
        name = self.await_victim(role)
        with self.fault():
            self.crew.kill(name)

    def heal(self) -> None:
        """Let every line and every answer through again."""
        for line in (self.site.rabbit_line, self.site.postgres_line, self.site.s3_line):
            if line is not None:
                line.heal()
        if self.site.storm is not None:
            self.site.storm.heal()

    def settle(self) -> None:
        """Wait until every job has ended and every event is out, or nothing moves any more."""
        wanted = len(self.order.jobs)
        self._wait(lambda now: now[0] >= wanted and now[-1] == 0)

    def _wait(self, enough: Callable[[tuple[int, ...]], bool]) -> None:
        seen: tuple[int, ...] = ()
        since = time.monotonic()
        patience = self.scenario.patience
        if self.options.without:
            patience = min(patience, UNGUARDED_SECONDS)
        while time.monotonic() - since < patience:
            with contextlib.suppress(psycopg.Error):
                now = self.progress()
                if enough(now):
                    return
                if now != seen:
                    seen, since = now, time.monotonic()
            time.sleep(POLL_SECONDS)


def play(one: Scenario, options: Options, servers: Servers) -> Findings:
    """Play a scenario and count. Raises `Skipped` where this machine cannot offer what it needs."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix=f"packshot-chaos-{one.name}-"))
    try:
        with open_site(servers, one, folder) as site:
            found = _play(one, options, servers, site, folder)
    finally:
        if options.keep is not None:
            mode = "unguarded" if options.without else "guarded"
            target = options.keep / f"{one.name}-{options.seed}-{mode}"
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder, target)
        shutil.rmtree(folder, ignore_errors=True)
    found.seconds = time.monotonic() - began
    return found


def _play(one: Scenario, options: Options, servers: Servers, site: Site, folder: Path) -> Findings:
    install(settings_of(site.settings))
    recorder = Recorder(site.rabbit_url)
    if Server.RABBIT in one.own:
        servers.rabbit_node().settle()
    wanted = order(one.load, options.jobs, site.bucket)
    producer = Producer(site.settings["PACKSHOT_BROKER_URL"], one.load, options.seed)
    crew = Crew(site.settings, folder, servers.guard, seed=options.seed)
    world = World(one, options, servers, site, crew, wanted, producer, random.Random(options.seed))
    codes: list[int] = []
    try:
        if one.load.rate is None:
            producer.start(wanted.jobs)
            producer.join(60)
        crew.hire(tuple(_posted(post, world) for post in one.fleet))
        if one.load.rate is not None:
            producer.start(wanted.jobs)
        one.play(world)
        world.heal()
        world.producer.join(120)
        world.settle()
    finally:
        world.heal()
        producer.stop()
        codes = crew.close()
    return _count(world, recorder, codes)


def _times(options: Options) -> int:
    """How often what is given for a hundred jobs happens: as the square root of the jobs.

    Otherwise a long run would be nothing but outages, and no job would ever meet a fault in a fleet
    that has been at work for a while.
    """
    return max(1, round(math.sqrt(options.jobs / 100)))


def _posted(post: Post, world: World) -> Post:
    """The post as these options want it."""
    if post.faults.clock_offset and not wrong_clock.is_possible():
        raise Skipped("a C compiler is needed to make a wrong clock")
    if post.faults.pipeline and world.options.other_release is not None:
        # The real thing instead of something like it.
        faults = dataclasses.replace(post.faults, pipeline=None)
        post = dataclasses.replace(post, faults=faults, checkout=world.options.other_release)
    budget = post.faults.budget * _times(world.options)
    post = dataclasses.replace(post, faults=dataclasses.replace(post.faults, budget=budget))
    if world.options.without:
        faults = dataclasses.replace(post.faults, without=world.options.without)
        return dataclasses.replace(post, faults=faults)
    return post


def _count(world: World, recorder: Recorder, codes: list[int]) -> Findings:
    site, one = world.site, world.scenario
    rows = Rows.read(site.database)
    with _objects(site) as (read, keys):
        evidence = Evidence(
            order=world.order,
            confirmed=frozenset(world.producer.confirmed),
            rows=rows,
            events=recorder.collect(),
            keys=keys,
            read=read,
            dead=[body for body, _ in drain(site.rabbit_url, DEAD_QUEUE)],
            rejected=[body for body, _ in drain(site.rabbit_url, REJECTED_QUEUE)],
        )
        found = examine(evidence, one.guilty)
    found.notes = [*world.producer.crashes, *world.notes, *found.notes]
    queues = [*INTAKE_QUEUES.values(), *(queue_name(step, lane) for step in Step for lane in Lane)]
    found.left = sum(len(drain(site.rabbit_url, queue)) for queue in queues)
    found.faults = world.faults + world.crew.struck()
    found.hits = world.hits + world.crew.struck()
    found.restarts = world.crew.restarts()
    found.bad_exits = sum(code != 0 for code in codes)
    last = max(world.last_fault, world.crew.last_strike())
    # Jobs that came later were never hurt: they say how long the load lasted, not the damage.
    hurt = (row for row in rows.jobs if row["created_at"].timestamp() < last)
    ends = (row["finished_at"].timestamp() for row in hurt if row["finished_at"])
    found.recovery_s = max(0.0, max(ends, default=last) - last)
    return found


@contextlib.contextmanager
def _objects(site: Site) -> Iterator[tuple[Read, frozenset[str]]]:
    """How to read an object, and which there are."""
    if (store := site.store) is not None:
        files = (path for path in store.rglob("*") if path.is_file())
        keys = (path.relative_to(store).as_posix() for path in files)
        yield _from_folder(store), frozenset(key for key in keys if not key.startswith("."))
        return
    client = site.bucket.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=site.bucket.name)
    there = frozenset(item["Key"] for page in pages for item in page.get("Contents", []))
    with site.bucket.line() as line:
        yield (lambda key: line.get(key) if key in there else None), there


def _from_folder(store: Path) -> Callable[[str], bytes | None]:
    def read(key: str) -> bytes | None:
        path = store / key
        return path.read_bytes() if path.is_file() else None

    return read
