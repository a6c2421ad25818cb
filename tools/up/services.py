"""Our own processes on those servers, and the tools to look at them where they are installed."""

import importlib.util
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tools.up.process import Site, UpError, answers
from tools.up.servers import Ports, find
from workers.access import users

ROOT = Path(__file__).resolve().parents[2]
VHOST = "packshot"
BUCKET = "packshot"
LOGIN = "lead"
#: What Flower lists: `kwargs` says SKU, step and job in words.
COLUMNS = "name,kwargs,state,received,runtime,worker,uuid"
#: One process that takes in and gives out, one that holds the three models.
ROLES = {"io": "io", "models": "gpu"}


class Installation:
    """Settings and passwords of one installation, all of them new."""

    def __init__(self, site: Site, ports: Ports) -> None:
        self.site = site
        self.ports = ports
        self.passwords = {user.name: secrets.token_hex(16) for user in users()}
        self.administrator = secrets.token_hex(16)
        self.access, self.secret = secrets.token_hex(8), secrets.token_hex(16)
        self.reviewer = secrets.token_urlsafe(9)
        self.flower = secrets.token_urlsafe(9)
        self.environment: dict[str, str] = {}

    def configure(self, database: str, endpoint: str, redis: str | None) -> None:
        """The settings that every process shares."""
        self.environment = {
            "PACKSHOT_DATABASE_URL": database,
            "PACKSHOT_BLOBS": f"s3://{BUCKET}",
            "PACKSHOT_S3_ENDPOINT": endpoint,
            "PACKSHOT_S3_ACCESS_KEY": self.access,
            "PACKSHOT_S3_SECRET_KEY": self.secret,
            "PACKSHOT_DECLARE_QUEUES": "false",
            "PACKSHOT_CONSOLE_SECRET": secrets.token_hex(32),
        }
        if redis:
            self.environment["PACKSHOT_REDIS_URL"] = redis

    def broker_url(self, user: str) -> str:
        """The broker's address for one of its users."""
        name = f"packshot-{user}"
        return f"amqp://{name}:{self.passwords[name]}@127.0.0.1:{self.ports['amqp']}/{VHOST}"

    def environ(self, user: str, **more: str) -> dict[str, str]:
        """The settings of a process that is this user at the broker."""
        return {**self.environment, "PACKSHOT_BROKER_URL": self.broker_url(user), **more}

    def packshot(self, *arguments: str, env: Mapping[str, str], stdin: str = "") -> str:
        """Run a command to its end. Raises `UpError` with what it says."""
        done = subprocess.run(
            (sys.executable, "-m", "packshot", *arguments),
            env={**os.environ, **env},
            cwd=self.site.folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise UpError(f"packshot {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def prepare(self) -> None:
        """Schema, users, queues, bucket, first reviewer."""
        import boto3
        from botocore.config import Config

        folder = self.site.folder / "passwords"
        folder.mkdir(mode=0o700, exist_ok=True)
        for name, password in self.passwords.items():
            (folder / name).write_text(password)
        operator = self.environ(
            "operator",
            PACKSHOT_BROKER_ADMIN=f"http://administrator:{self.administrator}"
            f"@127.0.0.1:{self.ports['rabbitmq']}",
        )
        self.packshot("db", "upgrade", env=operator)
        self.packshot("broker", "grant", "--passwords", str(folder), env=operator)
        self.packshot("broker", "setup", env=operator)
        boto3.client(
            "s3",
            endpoint_url=self.environment["PACKSHOT_S3_ENDPOINT"],
            aws_access_key_id=self.access,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        ).create_bucket(Bucket=BUCKET)
        self.packshot(
            *("user", "add", LOGIN, "--role", "lead", "--password-stdin"),
            env=operator,
            stdin=self.reviewer + "\n",
        )

    def processes(self) -> list[Callable[[], None]]:
        """What starts workers, console and exporter, each."""
        return [
            *(partial(self._worker, *row) for row in ROLES.items()),
            self._console,
            self._exporter,
        ]

    def _worker(self, name: str, role: str) -> None:
        probes = self.site.folder / f"probes-{name}"
        self._packshot(
            name,
            *("worker", role, "--probes", str(probes)),
            user=role,
            ready=(probes / "ready").exists,
            env={"PACKSHOT_METRICS_PORT": str(self.ports[name])},
        )

    def _console(self) -> None:
        port = self.ports["console"]
        ready = partial(answers, port)
        self._packshot("console", "console", "--port", str(port), user="console", ready=ready)

    def _exporter(self) -> None:
        port, user = self.ports["exporter"], "packshot-exporter"
        api = f"http://{user}:{self.passwords[user]}@127.0.0.1:{self.ports['rabbitmq']}"
        self._packshot(
            *("exporter", "exporter", "--listen", "127.0.0.1", "--port", str(port)),
            user="exporter",
            ready=partial(answers, port),
            env={"PACKSHOT_MANAGEMENT_URL": api},
        )

    def _packshot(
        self,
        name: str,
        *arguments: str,
        user: str,
        ready: Callable[[], bool],
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.site.start(
            name,
            (sys.executable, "-m", "packshot", "-v", *arguments),
            ready,
            env=self.environ(user, **(env or {})),
            drains=True,
        )

    def start_flower(self) -> bool:
        """Flower, if it is installed."""
        if importlib.util.find_spec("flower") is None:
            return False
        name, port = "packshot-flower", self.ports["flower"]
        api = f"http://{name}:{self.passwords[name]}@127.0.0.1:{self.ports['rabbitmq']}/api/"
        command = (sys.executable, "-m", "celery", "-A", "workers.app", "flower")
        self.site.start(
            "flower",
            (*command, "--address=127.0.0.1", f"--port={port}", f"--tasks_columns={COLUMNS}"),
            partial(answers, port),
            env=self.environ(
                "flower", FLOWER_BROKER_API=api, FLOWER_BASIC_AUTH=f"operator:{self.flower}"
            ),
        )
        return True

    def start_prometheus(self) -> bool:
        """Prometheus with the alert rules, if it is installed."""
        program = find("prometheus")
        if program is None:
            return False
        folder = self.site.folder / "prometheus"
        folder.mkdir(exist_ok=True)
        targets = [f"127.0.0.1:{self.ports[name]}" for name in ("exporter", *ROLES)]
        config = {
            "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
            "rule_files": [str(ROOT / "deploy" / "monitoring" / "rules" / "*.yaml")],
            "scrape_configs": [{"job_name": "packshot", "static_configs": [{"targets": targets}]}],
        }
        (folder / "prometheus.yaml").write_text(json.dumps(config, indent=1))  # JSON is YAML
        self.site.start(
            "prometheus",
            (
                *(program, f"--config.file={folder / 'prometheus.yaml'}"),
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}",
            ),
            lambda: answers(self.ports["prometheus"]),
        )
        return True
