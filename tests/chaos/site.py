"""The servers of a run, and one installation on them for each scenario."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.scenario import Scenario, Server
from tests.chaos.storm_proxy import StormProxy
from tests.support.cutproxy import CutProxy
from tests.support.fleet import environment
from tests.support.postgres_server import PostgresServer, PrivatePostgres, running_postgres
from tests.support.rabbit_node import Broker, RabbitNode, running_broker
from tests.support.s3_server import Bucket, S3Server
from tests.support.server import Guard


@dataclass
class Servers:
    """Servers that many scenarios share, and private ones that some of them kill.

    A private server is started when it is first needed and kept, with whatever has happened to it:
    the next scenario gets a new virtual host, database or bucket on it.
    """

    guard: Guard
    broker: Broker | None = None
    postgres: PostgresServer | None = None
    s3: S3Server | None = None
    _rabbit: RabbitNode | None = None
    _postgres: PrivatePostgres | None = None
    _s3: S3Server | None = None

    def shared_broker(self) -> Broker:
        """A broker that nobody kills."""
        self.broker = self.broker or running_broker()
        return self.broker or self.rabbit_node().broker

    def shared_postgres(self) -> PostgresServer:
        """A database server that nobody kills."""
        self.postgres = self.postgres or running_postgres()
        return self.postgres or self.private_postgres()

    def shared_s3(self) -> S3Server:
        """An object store that nobody kills."""
        return self.s3 or self.private_s3()

    def rabbit_node(self) -> RabbitNode:
        """A broker that may be killed."""
        if self._rabbit is None:
            self._rabbit = RabbitNode(self.guard)
            self._rabbit.start()
        return self._rabbit

    def private_postgres(self) -> PrivatePostgres:
        """A database server that may be killed."""
        if self._postgres is None:
            self._postgres = PrivatePostgres(self.guard)
            self._postgres.start()
        return self._postgres

    def private_s3(self) -> S3Server:
        """An object store that may be killed."""
        if self._s3 is None:
            self._s3 = S3Server(self.guard)
            self._s3.start()
        return self._s3

    def discard(self) -> None:
        """End the private servers: after a scenario that went wrong nobody knows their state."""
        for server in (self._rabbit, self._postgres, self._s3):
            if server is not None:
                server.remove()
        self._rabbit, self._postgres, self._s3 = None, None, None


@dataclass
class Site:
    """One installation: a virtual host, a database and a bucket, and the lines to them."""

    broker: Broker
    vhost: str
    database: str
    bucket: Bucket
    settings: dict[str, str]
    rabbit_line: CutProxy | None = None
    postgres_line: CutProxy | None = None
    s3_line: CutProxy | None = None
    storm: StormProxy | None = None
    #: Where objects are when they are not in the bucket.
    store: Path | None = None
    lines: list[CutProxy] = field(default_factory=list)

    @property
    def rabbit_url(self) -> str:
        """The broker itself, not the line to it."""
        return self.broker.url(self.vhost)


@contextlib.contextmanager
def open_site(servers: Servers, one: Scenario, folder: Path) -> Iterator[Site]:
    """Make an installation for a scenario, and take it down again."""
    broker = servers.rabbit_node().broker if Server.RABBIT in one.own else servers.shared_broker()
    postgres = (
        servers.private_postgres() if Server.POSTGRES in one.own else servers.shared_postgres()
    )
    s3 = servers.private_s3() if Server.S3 in one.own else servers.shared_s3()
    with contextlib.ExitStack() as stack:
        vhost = broker.create_vhost()
        stack.callback(broker.delete_vhost, vhost)
        database = postgres.create()
        stack.callback(postgres.drop, database)
        bucket = s3.create_bucket()
        stack.callback(s3.delete_bucket, bucket)
        site = Site(broker, vhost, postgres.url(database), bucket, {})

        def line(server: Server, port: int) -> CutProxy | None:
            return stack.enter_context(CutProxy(port)) if server in one.lines else None

        site.rabbit_line = line(Server.RABBIT, broker.amqp_port)
        site.postgres_line = line(Server.POSTGRES, postgres.port)
        site.s3_line = line(Server.S3, s3.port)
        site.storm = stack.enter_context(StormProxy(s3.port)) if one.storms else None
        seen = site.storm.port if site.storm else site.s3_line.port if site.s3_line else s3.port
        site.settings = {
            **environment(
                broker.url(vhost, site.rabbit_line.port if site.rabbit_line else None),
                postgres.url(database, site.postgres_line.port if site.postgres_line else None),
                Bucket(f"http://127.0.0.1:{seen}", bucket.name),
            ),
            # Soon enough to be seen within a scenario, late enough not to hide what it mends.
            "PACKSHOT_RECONCILE_SECONDS": "2",
            **one.settings,
        }
        if one.settings.get("PACKSHOT_BLOBS") == "folder":
            site.store = folder / "store"
            site.settings["PACKSHOT_BLOBS"] = site.store.as_uri()
        yield site
