"""An installation to measure: servers of its own, photos, and what each process has used."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from packshot.contract import OPTIONAL_STEPS, Image, Job, Lane, Output, Step
from packshot.imaging.encode import encode
from tests.support.fleet import Fleet, environment, settings_of
from tests.support.postgres_server import PrivatePostgres
from tests.support.rabbit_node import RabbitNode
from tests.support.s3_server import S3Server
from tests.support.server import Guard
from workers.bench.photos import QUALITY, scaled
from workers.samples import photos
from workers.services import open_store

#: What a listing service asks for.
OUTPUTS = (
    Output(name="cutout"),
    Output(name="main", background="#ffffff", format="jpeg", size=1000, fill=0.85),
)
#: The servers' programs, as the system names their processes.
SERVERS = {"beam.smp": "rabbitmq", "postgres": "postgres", "weed": "s3"}


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process has used: most memory it ever had (MiB), CPU time (seconds)."""

    peak: float
    cpu: float

    @classmethod
    def of(cls, pid: int) -> "Spent":
        """Until now."""
        status = Path(f"/proc/{pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        times = psutil.Process(pid).cpu_times()
        return cls(int(line.split()[1]) / 1024, times.user + times.system)


def servers_cpu() -> dict[str, float]:
    """CPU seconds that the servers of this process have used until now, by their names."""
    spent = dict.fromkeys(SERVERS.values(), 0.0)
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if name := SERVERS.get(process.name()):
                times = process.cpu_times()
                # A server's ended children are counted by their parent.
                spent[name] += sum((times.user, times.system))
                spent[name] += sum((times.children_user, times.children_system))
    return spent


@contextmanager
def installation() -> Iterator[Fleet]:
    """Servers and an empty installation on them."""
    with ExitStack() as stack:
        guard = Guard()
        stack.callback(guard.close)
        rabbit, postgres, s3 = RabbitNode(guard), PrivatePostgres(guard), S3Server(guard)
        for server in (rabbit, postgres, s3):
            server.start()
            stack.callback(server.remove)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = rabbit.broker.url(rabbit.broker.create_vhost())
        settings = environment(url, postgres.url(postgres.create()), s3.create_bucket())
        fleet = Fleet({**settings, "PACKSHOT_LEASE_SECONDS": "30"}, folder)
        stack.callback(fleet.close)
        fleet.packshot("db", "upgrade")
        fleet.packshot("broker", "setup")
        yield fleet


def jobs(
    fleet: Fleet,
    numbers: range,
    side: int,
    *,
    lane: Lane = Lane.BULK,
    steps: Sequence[Step] = OPTIONAL_STEPS,
    outputs: Sequence[Output] = OUTPUTS,
) -> list[Job]:
    """A job for each number, its photo uploaded at `side` pixels.

    Every number has bytes of its own: nothing is answered from an earlier photo's result.
    """
    store = open_store(settings_of(fleet.settings))
    pictures = [scaled(path, side) for path in photos()]
    made = []
    for number in numbers:
        picture = pictures[number % len(pictures)]
        picture[0, 0] = (number % 256, number // 256 % 256, number // 65536)
        key = f"uploads/{side}/{number}.jpg"
        store.put(key, encode(picture, "jpeg", QUALITY), "image/jpeg")
        made.append(
            Job(
                version=1,
                source="bench",
                job_id=f"{side}-{number}",
                image=Image(uri=f"{fleet.settings['PACKSHOT_BLOBS']}/{key}"),
                lane=lane,
                outputs=tuple(outputs),
                steps=tuple(steps),
            )
        )
    return made
