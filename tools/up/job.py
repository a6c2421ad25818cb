"""The first job: a sample photo goes in as a producer would send it, and comes out."""

import time
from pathlib import Path
from typing import Any

from packshot.client import Client
from packshot.contract import CUTOUT, MAIN, Image, Job, Lane
from packshot.store.engine import open_engine
from packshot.store.views import JobView, Views
from tools.up.process import UpError
from tools.up.services import BUCKET, ROOT, Installation

SAMPLE = ROOT / "workers" / "samples" / "battery.jpg"
#: Seconds that a job may take on a slow machine.
PATIENCE_S = 120.0


def first_job(one: Installation, photo: Path = SAMPLE) -> tuple[JobView, float]:
    """Submit the photo and wait; returns the job and the seconds that it took."""
    _upload(one, photo)
    started = time.monotonic()
    with Client(one.broker_url("producer")) as client:
        client.submit(
            Job(
                version=1,
                source="make-up",
                job_id="first",
                sku=photo.stem.upper(),
                image=Image(uri=f"s3://{BUCKET}/uploads/{photo.name}"),
                lane=Lane.LIVE,
                outputs=(CUTOUT, MAIN),
            )
        )
    engine = open_engine(one.environment["PACKSHOT_DATABASE_URL"])
    views = Views(engine)
    try:
        while not set(views.counts("make-up")) & {"accepted", "review", "failed"}:
            if time.monotonic() - started > PATIENCE_S:
                raise UpError(f"The first job has no result yet: see {one.site.folder / 'log'}.")
            time.sleep(0.05)
        return views.job("make-up", "first"), time.monotonic() - started
    finally:
        engine.dispose()


def _upload(one: Installation, photo: Path) -> None:
    import boto3
    from botocore.config import Config

    client: Any = boto3.client(
        "s3",
        endpoint_url=one.environment["PACKSHOT_S3_ENDPOINT"],
        aws_access_key_id=one.access,
        aws_secret_access_key=one.secret,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}),
    )
    client.put_object(Bucket=BUCKET, Key=f"uploads/{photo.name}", Body=photo.read_bytes())
