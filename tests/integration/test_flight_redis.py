"""Single flight over a real Redis: equal photos are computed once, and its loss costs only that."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import redis
from sqlalchemy import Engine

from models.fake import FakeMatter, FakeReader, FakeRecogniser, fake_models
from packshot.contract import Image, Job
from packshot.errors import ConfigurationError
from packshot.settings import Settings
from packshot.store.engine import open_engine
from packshot.store.flight import Flight, NoFlight
from packshot.store.redis_flight import (
    ANSWER_SECONDS,
    BREAK_SECONDS,
    PREFIX,
    WARN_SECONDS,
    RedisFlight,
)
from packshot.store.views import Views
from tasks.app import STAGES
from tasks.delivery import Next
from tasks.runner import FOLLOW_PAUSES, Runner
from tests.support.cutproxy import CutProxy, Mode
from tests.support.redis_server import RedisServer
from workers.database import upgrade
from workers.services import build, open_flight

pytestmark = pytest.mark.services

#: Equal photos in one test.
PHOTOS = 10
#: Seconds that a made-up model takes: far longer than an answer of Redis, far under the wait.
MODEL_SECONDS = 0.3


@pytest.fixture
def make() -> Iterator[Callable[..., RedisFlight]]:
    flights: list[RedisFlight] = []

    def build(url: str, **options: Any) -> RedisFlight:
        flights.append(RedisFlight(url, **options))
        return flights[-1]

    yield build
    for flight in flights:
        flight.close()


def test_one_leads_until_it_is_done(make: Callable[..., RedisFlight], redis_url: str) -> None:
    one, two = make(redis_url), make(redis_url)
    with one.lead("photo", 60) as leads:
        assert leads
        with two.lead("photo", 60) as second, two.lead("another", 60) as third:
            assert (second, third) == (False, True)
        with one.lead("photo", 60) as again:
            assert not again
    with two.lead("photo", 60) as leads:
        assert leads


def test_a_follower_that_leaves_does_not_end_the_lead(
    make: Callable[..., RedisFlight], redis_url: str
) -> None:
    one, two = make(redis_url), make(redis_url)
    with one.lead("photo", 60):
        with two.lead("photo", 60):
            pass
        with two.lead("photo", 60) as leads:
            assert not leads


def test_a_lead_that_ran_out_is_not_taken_from_its_successor(
    make: Callable[..., RedisFlight], redis_url: str
) -> None:
    one, two = make(redis_url), make(redis_url)
    with redis.Redis.from_url(redis_url) as client:
        with one.lead("photo", 60):
            assert 0 < client.pttl(PREFIX + "photo") <= 60_000
            client.delete(PREFIX + "photo")  # its time is over
            successor = two.lead("photo", 60)
            assert successor.__enter__()
        assert client.exists(PREFIX + "photo")
        successor.__exit__(None, None, None)
        assert not client.exists(PREFIX + "photo")


def test_an_error_inside_ends_the_lead(make: Callable[..., RedisFlight], redis_url: str) -> None:
    flight = make(redis_url)
    with pytest.raises(RuntimeError, match="inside"), flight.lead("photo", 60):
        raise RuntimeError("inside")
    with flight.lead("photo", 60) as leads:
        assert leads


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_dead_redis_is_left_alone_for_a_while_and_warned_of_once_a_minute(
    make: Callable[..., RedisFlight],
    private_redis: RedisServer,
    cut: Callable[[int], CutProxy],
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, proxy = Hand(), cut(private_redis.port)
    with redis.Redis.from_url(private_redis.url) as client:
        client.config_set("requirepass", "secret-word")
    one = make(f"redis://:secret-word@127.0.0.1:{proxy.port}/0", clock=clock)
    two = make(f"redis://:secret-word@127.0.0.1:{private_redis.port}/0")
    proxy.cut()
    for _ in range(20):
        with one.lead("photo", 60) as leads:
            assert leads
    assert proxy.connections == 1
    proxy.heal()
    with two.lead("photo", 60), one.lead("photo", 60) as leads:
        assert leads  # not asked yet
    clock.now += BREAK_SECONDS
    with two.lead("photo", 60), one.lead("photo", 60) as leads:
        assert not leads
    proxy.cut()
    for seconds in (0.0, BREAK_SECONDS, BREAK_SECONDS, WARN_SECONDS):
        clock.now += seconds
        with one.lead("photo", 60) as leads:
            assert leads
    warnings = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert "secret-word" not in " ".join(warnings)


def test_a_redis_that_is_silent_costs_half_a_second_once(
    make: Callable[..., RedisFlight], private_redis: RedisServer, cut: Callable[[int], CutProxy]
) -> None:
    proxy = cut(private_redis.port)
    flight = make(f"redis://127.0.0.1:{proxy.port}/0")
    proxy.mode = Mode.BLACKHOLE
    started = time.monotonic()
    for _ in range(50):
        with flight.lead("photo", 60) as leads:
            assert leads
    # One wait; 50 of them would take 25 s.
    assert ANSWER_SECONDS * 0.9 < time.monotonic() - started < ANSWER_SECONDS * 10


@pytest.mark.parametrize("refusal", ["readonly", "password"])
def test_a_redis_that_refuses_is_like_none(
    make: Callable[..., RedisFlight], private_redis: RedisServer, refusal: str
) -> None:
    with redis.Redis.from_url(private_redis.url) as client:
        if refusal == "readonly":
            client.replicaof("127.0.0.1", 1)
        else:
            client.config_set("requirepass", "other")
    with make(private_redis.url).lead("photo", 60) as leads:
        assert leads


def test_settings_decide() -> None:
    assert isinstance(open_flight(Settings()), NoFlight)
    with pytest.raises(ConfigurationError, match="PACKSHOT_REDIS_URL"):
        open_flight(Settings.model_validate({"redis_url": "http://nonsense"}))


@dataclass
class Counted:
    """Made-up models that count; `during` is called inside every call."""

    calls: list[str]
    during: Callable[[], None]

    def read(self, *args: Any) -> Any:
        return self._count("ocr", FakeReader(MODEL_SECONDS).read, args)

    def recognise(self, *args: Any) -> Any:
        return self._count("recognition", FakeRecogniser(MODEL_SECONDS).recognise, args)

    def matte(self, *args: Any) -> Any:
        return self._count("matting", FakeMatter(MODEL_SECONDS).matte, args)

    def _count(self, name: str, model: Callable[..., Any], args: Sequence[Any]) -> Any:
        self.calls.append(name)  # atomic
        self.during()
        return model(*args)


@pytest.fixture
def engine(postgres: str) -> Iterator[Engine]:
    engine = open_engine(postgres, pool_size=PHOTOS)
    upgrade(engine)
    yield engine
    engine.dispose()


def run_equal_photos(
    postgres: str,
    folder: Path,
    flights: Sequence[Flight],
    during: Callable[[], None],
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Run ten jobs with one photo through one worker per flight; returns the models' calls."""
    picture = np.random.default_rng(1).integers(0, 256, (60, 80, 3), np.uint8)
    photo = folder / "photo.jpg"
    photo.write_bytes(cv2.imencode(".jpg", cv2.resize(picture, (400, 300)))[1].tobytes())
    settings = Settings.model_validate(
        {"data": folder / "data", "database_url": postgres, "allow_files": True, "audit_rate": 0}
    )
    counted = Counted([], during)
    models = replace(fake_models(), reader=counted, recogniser=counted, matter=counted)
    runners = []
    for number, flight in enumerate(flights):
        services = build(settings, models, worker=f"w{number}", connections=PHOTOS)
        runners.append(Runner(replace(services, flight=flight), STAGES, sleep=sleep))
    ledger = runners[0].services.ledger
    start = threading.Barrier(PHOTOS)

    def through(number: int) -> None:
        uri = str(photo)
        job = Job(version=1, source="tests", job_id=str(number), image=Image(uri=uri))
        row = ledger.submit(job).id
        runner = runners[number % len(runners)]
        start.wait()
        for step in job.chain:
            fate = runner.deliver(row, step, worker=runner.services.worker).fate
            assert fate is Next.HAND_ON, (step, fate)

    with ThreadPoolExecutor(PHOTOS) as pool:
        list(pool.map(through, range(PHOTOS)))
    for runner in runners:
        runner.services.ledger._sessions.kw["bind"].dispose()
        runner.services.views._sessions.kw["bind"].dispose()
    return counted.calls


def statuses(engine: Engine) -> dict[str, int]:
    return Views(engine).counts("tests")


def reused(engine: Engine) -> int:
    return sum(step.reused for job in Views(engine).jobs("tests") for step in job.steps)


def test_equal_photos_are_computed_once(
    make: Callable[..., RedisFlight], redis_url: str, engine: Engine, postgres: str, tmp_path: Path
) -> None:
    flights = [make(redis_url), make(redis_url)]
    calls = run_equal_photos(postgres, tmp_path, flights, lambda: None)
    assert sorted(calls) == ["matting", "ocr", "recognition"]
    assert sum(statuses(engine).values()) == PHOTOS
    assert set(statuses(engine)) <= {"accepted", "review"}
    assert reused(engine) == 3 * (PHOTOS - 1)
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


def test_without_redis_equal_photos_are_still_done(
    engine: Engine, postgres: str, tmp_path: Path
) -> None:
    calls = run_equal_photos(postgres, tmp_path, [NoFlight(), NoFlight()], lambda: None)
    assert set(calls) == {"matting", "ocr", "recognition"}
    assert len(calls) > 3  # what Redis is for
    assert set(statuses(engine)) <= {"accepted", "review"}
    assert sum(statuses(engine).values()) == PHOTOS


def test_a_redis_that_dies_in_the_middle_stops_nobody(
    make: Callable[..., RedisFlight],
    private_redis: RedisServer,
    engine: Engine,
    postgres: str,
    tmp_path: Path,
) -> None:
    flights = [make(private_redis.url), make(private_redis.url)]
    once = threading.Lock()

    def die() -> None:
        if once.acquire(blocking=False):
            private_redis.kill()

    calls = run_equal_photos(postgres, tmp_path, flights, die)
    assert {"matting", "ocr", "recognition"} == set(calls)
    assert set(statuses(engine)) <= {"accepted", "review"}
    assert sum(statuses(engine).values()) == PHOTOS


def test_a_leader_that_vanished_is_not_waited_for_without_end(
    make: Callable[..., RedisFlight], redis_url: str, engine: Engine, postgres: str, tmp_path: Path
) -> None:
    class Vanished:
        """Somebody else leads, and never finishes."""

        def lead(self, key: str, seconds: float) -> Any:
            with redis.Redis.from_url(redis_url) as client:
                client.set(PREFIX + key, "another", nx=True)
            return flight.lead(key, seconds)

    flight = make(redis_url)
    waits: list[float] = []
    calls = run_equal_photos(postgres, tmp_path, [Vanished()], lambda: None, sleep=waits.append)
    assert set(calls) == {"matting", "ocr", "recognition"}
    assert sum(statuses(engine).values()) == PHOTOS
    assert set(waits) == set(FOLLOW_PAUSES)
    assert 3 < sum(FOLLOW_PAUSES) < 6
