"""The producer's client, as far as it goes without a broker."""

import subprocess
import sys

import pytest
from amqp.exceptions import AccessRefused, MessageNacked, NotFound, RecoverableConnectionError
from kombu.exceptions import OperationalError

from packshot.client import Client
from packshot.contract import LIVE_SUBMIT_KEY, SUBMIT_KEY, Image, Job, Lane
from packshot.errors import BrokerUnavailable, ConfigurationError

JOB = Job(version=1, source="tests", job_id="1", image=Image(uri="s3://in/1.jpg"))
LIVE = JOB.model_copy(update={"lane": Lane.LIVE})


class Rehearsal(Client):
    """A client whose connection fails as it is told, and keeps what it would have sent."""

    def __init__(self, *failures: Exception, deadline: float = 5.0) -> None:
        super().__init__("memory://", deadline=deadline)
        self.failures = list(failures)
        self.sent: list[bytes] = []
        self.keys: list[str] = []

    def _publish(self, body: bytes, key: str) -> None:
        self.keys.append(key)
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(body)


def test_a_job_goes_out_as_the_message_that_intake_reads() -> None:
    with Rehearsal() as client:
        client.submit(JOB)
    (body,) = client.sent
    assert Job.parse(body) == JOB


def test_a_live_job_goes_to_the_intake_of_its_lane() -> None:
    client = Rehearsal()
    client.submit(LIVE)
    client.submit(JOB)
    assert client.keys == [LIVE_SUBMIT_KEY, SUBMIT_KEY]


@pytest.mark.parametrize("missing", [NotFound("no queue"), AccessRefused("not this key")])
def test_an_installation_without_that_intake_gets_it_with_the_others(missing: Exception) -> None:
    client = Rehearsal(missing)
    client.submit(LIVE)
    client.submit(LIVE)
    assert client.keys == [LIVE_SUBMIT_KEY, SUBMIT_KEY, SUBMIT_KEY]
    assert [Job.parse(body) for body in client.sent] == [LIVE, LIVE]


def test_an_installation_that_is_set_up_late_has_its_lanes_all_the_same() -> None:
    client = Rehearsal(NotFound("no exchange"), NotFound("no exchange"))
    with pytest.raises(ConfigurationError):
        client.submit(LIVE)
    client.submit(LIVE)
    assert client.keys[-1] == LIVE_SUBMIT_KEY


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(MessageNacked(), id="full queue"),
        pytest.param(OperationalError("gone"), id="no connection"),
        pytest.param(RecoverableConnectionError("cut"), id="cut connection"),
        pytest.param(ConnectionResetError("reset"), id="reset"),
        pytest.param(TimeoutError("late"), id="no confirm"),
    ],
)
def test_what_may_pass_is_tried_again_until_the_deadline(failure: Exception) -> None:
    patient = Rehearsal(failure)
    patient.submit(JOB)
    assert len(patient.sent) == 1
    hasty = Rehearsal(failure, deadline=0.05)
    with pytest.raises(BrokerUnavailable, match=r"within 0\.05 s .*submit it again later") as error:
        hasty.submit(JOB)
    assert error.value.__cause__ is failure
    assert hasty.sent == []


def test_a_broker_without_our_queues_is_a_matter_for_a_person() -> None:
    client = Rehearsal(NotFound("no exchange 'packshot'"))
    with pytest.raises(ConfigurationError, match="packshot broker setup"):
        client.submit(JOB)
    assert client.failures == []


def test_making_a_client_connects_nowhere() -> None:
    Client("amqp://nobody:nothing@broker.invalid/").close()


def test_the_client_needs_nothing_but_kombu_and_pydantic() -> None:
    heavy = [
        *("celery", "numpy", "cv2", "sqlalchemy", "boto3", "click", "rich"),
        *("pydantic_settings", "onnxruntime"),
    ]
    code = (
        "import sys, packshot.client, packshot.contract, packshot.events, packshot.errors;"
        f"print(sorted(set({heavy!r}) & set(sys.modules)))"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
