"""The producer's client, as far as it goes without a broker."""

import subprocess
import sys

import pytest
from amqp.exceptions import MessageNacked, NotFound, RecoverableConnectionError
from kombu.exceptions import OperationalError

from packshot.client import Client
from packshot.contract import Image, Job
from packshot.errors import BrokerUnavailable, ConfigurationError

JOB = Job(version=1, source="tests", job_id="1", image=Image(uri="s3://in/1.jpg"))


class Rehearsal(Client):
    """A client whose connection fails as it is told, and keeps what it would have sent."""

    def __init__(self, *failures: Exception, deadline: float = 5.0) -> None:
        super().__init__("memory://", deadline=deadline)
        self.failures = list(failures)
        self.sent: list[bytes] = []

    def _publish(self, body: bytes) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(body)


def test_a_job_goes_out_as_the_message_that_intake_reads() -> None:
    with Rehearsal() as client:
        client.submit(JOB)
    (body,) = client.sent
    assert Job.parse(body) == JOB


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
