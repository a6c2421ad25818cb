"""What producers do: photos in the bucket, and jobs that are sent until the broker has them."""

import base64
import contextlib
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from packshot.client import Client
from packshot.contract import Image, Job, Lane, Output
from packshot.errors import PackshotError
from tests.chaos.scenario import Load
from tests.support.s3_server import Bucket

#: Who sends the jobs.
SOURCE = "chaos"
#: Sizes of photos (width, height): ordinary ones, one that kills, one that never comes back.
ORDINARY, DEADLY, HANGING = (400, 300), (404, 304), (408, 308)
#: The pictures that every job asks for: small, so that encoding is not what is measured.
OUTPUTS = (
    Output(name="cutout"),
    Output(name="main", background="#ffffff", format="jpeg", size=512, fill=0.85),
)
#: Every so many jobs show a photo that an earlier job has shown: results are shared.
REPEAT = 10
#: Seconds that one submit may take before the producer begins again.
SUBMIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Order:
    """The jobs of a scenario, and which of them are to blame for what."""

    jobs: tuple[Job, ...]
    #: Job id to the kind of guilt: "deadly" or "hanging".
    guilty: dict[str, str]


def photo(number: int, size: tuple[int, int] = ORDINARY) -> bytes:
    """A JPEG of its own for each number."""
    noise = np.random.default_rng(number).integers(0, 256, (12, 16, 3), np.uint8)
    picture = cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def order(load: Load, count: int, bucket: Bucket) -> Order:
    """Upload the photos of `count` jobs and write the jobs."""
    if load.most is not None:
        count = min(count, load.most)
    guilty = {
        **{f"job-{int(share * count)}": "deadly" for share in load.deadly},
        **{f"job-{int(share * count)}": "hanging" for share in load.hanging},
    }
    sizes = {"deadly": DEADLY, "hanging": HANGING}
    jobs = []
    with bucket.line() as line:
        for number in range(count):
            name = f"job-{number}"
            size = sizes[guilty[name]] if name in guilty else ORDINARY
            shown = number - REPEAT if number % REPEAT == REPEAT - 1 and number > REPEAT else number
            data = photo(shown if name not in guilty else number, size)
            uri = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
            if not load.inline:
                line.put(f"uploads/{number}.jpg", data)
                uri = f"s3://{bucket.name}/uploads/{number}.jpg"
            jobs.append(_job(name, number, uri))
    return Order(tuple(jobs), guilty)


def _job(name: str, number: int, uri: str) -> Job:
    return Job(
        version=1,
        source=SOURCE,
        job_id=name,
        sku=f"SKU{number}",
        image=Image(uri=uri),
        lane=Lane.LIVE if number % 4 == 0 else Lane.BULK,
        outputs=OUTPUTS,
        metadata={"number": number},
    )


@dataclass
class Producer:
    """Sends jobs as an upstream service does: again and again until they are confirmed."""

    url: str
    load: Load
    seed: int
    confirmed: set[str] = field(default_factory=set)
    #: Submits that got no confirm in time and were repeated.
    repeated: int = 0
    #: What ended a producer's thread although it should have gone on.
    crashes: list[str] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, jobs: Sequence[Job]) -> None:
        """Begin to send; returns at once."""
        for number in range(2 if self.load.twice else 1):
            thread = threading.Thread(
                target=self._run, args=(jobs, number), name=f"producer-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    @property
    def done(self) -> bool:
        """Whether everything was sent."""
        return not any(thread.is_alive() for thread in self._threads)

    def join(self, seconds: float) -> None:
        """Wait until everything was sent."""
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        self.join(SUBMIT_SECONDS + 5)

    def _run(self, jobs: Sequence[Job], number: int) -> None:
        try:
            self._send(jobs, number)
        except Exception as error:
            self.crashes.append(f"the producer crashed: {type(error).__name__}: {error}")
            raise

    def _send(self, jobs: Sequence[Job], number: int) -> None:
        mine = list(jobs)
        if number:  # the twin sends in another order, so that either message may be the first
            random.Random(self.seed).shuffle(mine)
        began = time.monotonic()
        with Client(self.url, deadline=SUBMIT_SECONDS) as client:
            for place, job in enumerate(mine):
                due = began + place / self.load.rate if self.load.rate else began
                if self._stopping.wait(max(0.0, due - time.monotonic())):
                    return
                self._insist(client, job)

    def _insist(self, client: Client, job: Job) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(PackshotError):
                client.submit(job)
                self.confirmed.add(job.job_id)
                return
            self.repeated += 1
            self._stopping.wait(0.2)
