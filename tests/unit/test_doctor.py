"""The checks of `packshot doctor` that need no server, and the way they are run."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from amqp.exceptions import PreconditionFailed
from click.testing import CliRunner

from models import openvino
from packshot.errors import ConfigurationError, StorageUnavailable
from packshot.settings import Settings
from packshot.store.blobs import MemoryBlobs
from workers.commands.doctor import doctor
from workers.doctor import Finding, Level, blobs, examine
from workers.doctor.finding import Check, Subject, ok, warning
from workers.doctor.machine import available_cores, check_machine
from workers.doctor.policies import DEFAULT_TIMEOUT, check_policies, check_timeout
from workers.doctor.queues import _mismatch
from workers.doctor.weights import check_weights
from workers.roles import ROLES


def subject(role: str = "all", **settings: Any) -> Subject:
    return Subject(Settings.model_validate(settings), ROLES[role])


#: A service whose settings fit together.
SERVICE = {
    "broker_url": "amqp://user:word@rabbit/",
    "database_url": "postgresql+psycopg://user:word@db/packshot",
    "blobs": "s3://photos",
}


def sentences(findings: Iterator[Finding]) -> str:
    return "\n".join(f"{one.level} {one.sentence} {one.advice}" for one in findings)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param({}, "ok The settings fit together", id="embedded"),
        pytest.param(SERVICE, "ok The settings fit together", id="service"),
        pytest.param({**SERVICE, "lease_seconds": 3}, "PACKSHOT_LEASE_SECONDS", id="short lease"),
        pytest.param({"lease_seconds": 3}, "ok The settings", id="short lease, one process"),
        pytest.param({"lease_seconds": 300}, "under PACKSHOT_STEP_SECONDS", id="long lease"),
        pytest.param({"drain_seconds": 5}, "PACKSHOT_DRAIN_SECONDS", id="short drain"),
        pytest.param({"threads": 256}, "512 threads", id="many threads"),
        pytest.param({**SERVICE, "allow_files": True}, "PACKSHOT_ALLOW_FILES", id="files"),
        pytest.param(
            {"broker_url": SERVICE["broker_url"]}, "PACKSHOT_DATABASE_URL", id="own ledger"
        ),
        pytest.param({"broker_url": SERVICE["broker_url"]}, "PACKSHOT_BLOBS", id="own folder"),
    ],
)
def test_settings_are_compared_with_each_other(settings: dict[str, Any], says: str) -> None:
    assert says in sentences(check_machine(subject(**settings)))


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        pytest.param("50000 100000", 0.5, id="half a core"),
        pytest.param("max 100000", None, id="no quota"),
        pytest.param("nonsense", None, id="another format"),
        pytest.param(None, None, id="no such file"),
    ],
)
def test_a_container_may_have_less_than_the_machine(
    text: str | None, cores: float | None, tmp_path: Path
) -> None:
    file = tmp_path / "cpu.max"
    if text:
        file.write_text(text)
    assert available_cores(file) == (cores or available_cores(tmp_path / "none"))


def queue(
    name: str, arguments: dict[str, Any] | None = None, policy: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {"name": name, "arguments": arguments or {}, "effective_policy_definition": policy or {}}


def rows(*found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(one["name"]): one for one in found}


@pytest.mark.parametrize(
    ("role", "queues", "level", "says"),
    [
        pytest.param("all", None, Level.OK, "by default 1800 s", id="unknown, and enough"),
        pytest.param(
            "all",
            rows(queue("packshot.ocr.bulk", {"x-consumer-timeout": 600_000})),
            Level.WARNING,
            "set to 600 s",
            id="an argument, too short",
        ),
        pytest.param(
            "ocr",
            rows(queue("packshot.ocr.bulk", policy={"consumer-timeout": 600_000})),
            Level.OK,
            "set to 600 s",
            id="a policy, enough for two queues",
        ),
        pytest.param(
            "all",
            rows(queue("others", policy={"consumer-timeout": 1000})),
            Level.OK,
            f"{DEFAULT_TIMEOUT} s",
            id="somebody else's queue",
        ),
    ],
)
def test_the_time_out_is_compared_with_the_longest_hold(
    role: str, queues: dict[str, Any] | None, level: Level, says: str
) -> None:
    found = check_timeout(queues, subject(role))
    assert (found.level, says in found.sentence) == (level, True), found
    assert f"role {role} may hold one for" in found.sentence


def test_a_long_step_does_not_fit_the_default() -> None:
    found = check_timeout(None, subject("all", step_seconds=1000))
    assert (found.level, "10000 s" in found.sentence) == (Level.WARNING, True)


BOUND = {("packshot.dlx", "packshot.dead", "dead"), ("packshot.dlx", "packshot.rejected", "x")}


def test_unbound_dead_letters_and_forgetful_policies_are_told() -> None:
    queues = rows(
        queue("packshot.dead", policy={"delivery-limit": 20}),
        queue("packshot.rejected", policy={"consumer-timeout": 1}),
    )
    told = sentences(check_policies(queues, BOUND))
    assert "warning Not bound to its exchange: packshot.rejected." in told
    assert "makes packshot.dead forget messages: delivery-limit" in told
    assert "packshot.rejected forget" not in told


def test_without_the_management_api_it_is_said() -> None:
    assert "ok The management API does not answer" in sentences(check_policies(None, None))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'q' in vhost '/': "
            "received '100000' but current is '1000'",
            ("another x-max-length: received '100000' but current", "PACKSHOT_QUEUE_LIMIT"),
            id="another limit",
        ),
        pytest.param(
            "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'q' in vhost '/': "
            "received the value '1000000000' of type 'signedint' but current is none",
            ("another x-delivery-limit: received the value", "Empty q, delete it"),
            id="an argument is not there",
        ),
        pytest.param("something else", ("another ?: something else", "Empty q"), id="other words"),
    ],
)
def test_another_argument_is_named(text: str, says: tuple[str, str]) -> None:
    found = _mismatch("q", PreconditionFailed(text))
    assert found.level is Level.ERROR
    assert says[0] in found.sentence
    assert says[1] in found.advice


class Careless(MemoryBlobs):
    """A store that ignores `If-None-Match`."""

    def put_new(self, key: str, data: bytes, media_type: str) -> bool:
        self.put(key, data, media_type)
        return True


@pytest.mark.parametrize(
    ("store", "level"),
    [
        pytest.param(MemoryBlobs(), Level.OK, id="one winner"),
        pytest.param(Careless(), Level.ERROR, id="everybody wins"),
    ],
)
def test_a_store_must_know_one_winner(store: MemoryBlobs, level: Level) -> None:
    (found,) = blobs._race(store)
    assert found.level is level
    assert list(store.list("")) == []


@pytest.mark.parametrize(
    ("role", "settings", "level", "says"),
    [
        pytest.param("io", SERVICE, Level.OK, "needs no models", id="no models"),
        pytest.param("ocr", SERVICE, Level.ERROR, "packshot models pull pp", id="service"),
        pytest.param("ocr", {}, Level.WARNING, "packshot run", id="embedded"),
    ],
)
def test_missing_weights(
    role: str, settings: dict[str, Any], level: Level, says: str, tmp_path: Path
) -> None:
    first = next(check_weights(subject(role, models=tmp_path / "none", **settings)))
    assert first.level is level
    assert says in first.sentence + first.advice
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("installed", "known", "told"),
    [
        pytest.param(False, True, True, id="it would be faster"),
        pytest.param(True, True, False, id="it is there already"),
        pytest.param(False, False, False, id="nothing to gain"),
    ],
)
def test_a_faster_runtime_is_recommended(
    installed: bool, known: bool, told: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(openvino, "installed", lambda: installed)
    monkeypatch.setattr(openvino, "has_bfloat16", lambda: known)
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    said = sentences(check_weights(subject("matting", models=tmp_path)))
    assert ("packshot[openvino]" in said) is told


def fails(_: Subject) -> Iterator[Finding]:
    yield ok("The first look was fine.")
    raise StorageUnavailable("It is gone.")


def wrong(_: Subject) -> Iterator[Finding]:
    yield from ()
    raise ConfigurationError("It is set wrong.")


def buggy(_: Subject) -> Iterator[Finding]:
    yield from ()
    raise ZeroDivisionError("of all things")


@pytest.mark.parametrize(
    ("check", "told"),
    [
        pytest.param(fails, ["The first look was fine.", "It is gone."], id="a transient error"),
        pytest.param(wrong, ["It is set wrong."], id="a wrong setting"),
        pytest.param(
            buggy, ["The check itself failed: ZeroDivisionError: of all things"], id="a bug"
        ),
    ],
)
def test_what_a_check_raises_is_a_finding(check: Check, told: list[str]) -> None:
    found = examine(subject(), {"it": check})
    assert [one.sentence for one in found] == told
    assert found[-1].level is Level.ERROR
    assert {one.part for one in found} == {"it"}


def test_a_check_that_hangs_hangs_nobody() -> None:
    release = threading.Event()

    def hangs(_: Subject) -> Iterator[Finding]:
        yield ok("So far.")
        release.wait(60)

    started = time.monotonic()
    found = examine(subject(), {"slow": hangs, "slower": hangs, "quick": wrong}, deadline=0.3)
    release.set()
    assert time.monotonic() - started < 10
    assert [one.sentence for one in found] == [
        *("So far.", "No answer within 0.3 s.") * 2,
        "It is set wrong.",
    ]


def test_secrets_are_hidden_in_every_spelling() -> None:
    settings = {
        "broker_url": "amqp://user:brok%2Fer@rabbit/",
        "database_url": "postgresql+psycopg://user:data%40base@db/packshot",
        "redis_url": "redis://:red%3Ais@redis/0",
        "s3_access_key": "ACCESS",
        "s3_secret_key": "SECRET",
    }
    said = "brok%2Fer brok/er data%40base data@base red:is red%3Ais ACCESS SECRET"

    def tells(_: Subject) -> Iterator[Finding]:
        yield warning(said, said)

    (found,) = examine(subject(**settings), {"it": tells})
    assert found.sentence == found.advice == " ".join(["***"] * 8)


def test_a_clock_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([timedelta(seconds=5), timedelta(seconds=-90), None])

    class Answer:
        def getheader(self, _: str) -> str | None:
            skew = next(answers)
            moment = datetime.now(UTC) + (skew or timedelta())
            return moment.strftime("%a, %d %b %Y %H:%M:%S GMT") if skew is not None else None

    class Line:
        def __init__(self, host: str, port: int | None, timeout: float) -> None:
            assert (host, port) == ("store", 9000)

        def request(self, *_: str) -> None: ...

        def getresponse(self) -> Answer:
            return Answer()

        def close(self) -> None: ...

    monkeypatch.setattr(blobs, "HTTPConnection", Line)
    settings = Settings.model_validate({"blobs": "s3://photos?endpoint=http://store:9000"})
    assert list(blobs._clock(settings)) == []
    (found,) = blobs._clock(settings)
    assert found.level is Level.WARNING
    assert list(blobs._clock(settings)) == []


def test_an_embedded_installation_is_healthy_and_stays_untouched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PACKSHOT_MODELS", str(tmp_path / "models"))
    done = CliRunner().invoke(doctor, ["--json"], standalone_mode=False)
    told = json.loads(done.stdout)
    assert (done.return_value, told["healthy"]) == (0, True)
    parts = {one["part"]: one["sentence"] for one in told["findings"]}
    assert "the embedded run needs no broker" in parts["broker"]
    assert list(tmp_path.iterdir()) == []
    page = CliRunner().invoke(doctor, [], standalone_mode=False)
    assert "0 errors, 3 warnings" in page.stdout
