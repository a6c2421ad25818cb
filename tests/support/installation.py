"""An installation in one call: the ledger's tables and the queues, without a process for each."""

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from kombu import Connection

from packshot.contract import Image, Job
from packshot.settings import Settings
from packshot.store.engine import open_engine
from tasks.topology import declare
from workers.database import upgrade


def local_environment(rabbit: str, postgres: str, folder: Path) -> dict[str, str]:
    """The settings of workers that share a folder instead of an object store."""
    return {
        "PACKSHOT_BROKER_URL": rabbit,
        "PACKSHOT_DATABASE_URL": postgres,
        "PACKSHOT_BLOBS": (folder / "store").as_uri(),
        "PACKSHOT_AUDIT_RATE": "0",
        "PACKSHOT_LEASE_SECONDS": "3",
    }


def install(settings: Settings) -> None:
    """Make the ledger's tables and declare the queues."""
    engine = open_engine(settings.ledger_url)
    upgrade(engine)
    engine.dispose()
    with Connection(settings.broker_url.get_secret_value()) as connection:
        declare(connection, settings.queue_limit)


def small_job(name: str, **changes: Any) -> Job:
    """A job whose photo lies in the message itself: a picture of its own for each name."""
    noise = np.random.default_rng(list(name.encode())).integers(0, 256, (8, 8, 3), np.uint8)
    picture = cv2.resize(noise, (128, 96), interpolation=cv2.INTER_CUBIC)
    png = base64.b64encode(cv2.imencode(".jpg", picture)[1].tobytes()).decode()
    fields: dict[str, Any] = {
        "version": 1,
        "source": "tests",
        "job_id": name,
        "image": Image(uri=f"data:image/jpeg;base64,{png}"),
    }
    return Job.model_validate(fields | changes)
