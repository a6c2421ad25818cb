"""`python -m tools.up up|down`: the whole installation on this machine, without containers.

Private servers on loopback ports of their own, with the users and permissions of production; then
the migration, the workers, the console, the exporter, and Flower and Prometheus where they are
installed. Everything lies in one folder. `down` ends it and deletes the folder.
"""

import argparse
import shlex
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.up.job import first_job
from tools.up.process import Site, UpError, free_block
from tools.up.servers import Ports, start_postgres, start_rabbit, start_redis, start_s3
from tools.up.services import LOGIN, Installation

#: Seconds that workers get for what they have at hand.
DRAIN_S = 100.0


def up(folder: Path, first_port: int) -> None:
    """Start everything; what was started goes down again when something fails."""
    site = Site(folder)
    if any(row.process() for row in site.started()):
        raise UpError(f"Something runs already in {folder}: make down")
    site.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    began = time.monotonic()
    one = Installation(site, Ports(free_block(first_port, Ports.COUNT)))
    try:
        _tell("servers")
        with ThreadPoolExecutor() as pool:
            rabbit = pool.submit(start_rabbit, site, one.ports, one.administrator)
            database = pool.submit(start_postgres, site, one.ports)
            endpoint = pool.submit(start_s3, site, one.ports, one.access, one.secret)
            redis = pool.submit(start_redis, site, one.ports)
        rabbit.result()
        one.configure(database.result(), endpoint.result(), redis.result())
        _tell("schema, users, queues")
        one.prepare()
        _tell("workers")
        with ThreadPoolExecutor() as pool:
            ours = [pool.submit(start) for start in one.processes()]
            flower = pool.submit(one.start_flower)
            prometheus = pool.submit(one.start_prometheus)
        for process in ours:
            process.result()
        tools = {"Flower": flower.result(), "Prometheus": prometheus.result()}
        _tell("the first job")
        job, seconds = first_job(one)
    except BaseException:
        down(folder, keep=True)
        raise
    print(f"  first job: {job.status} after {seconds:.1f} s")
    print(f"  everything from nothing: {time.monotonic() - began:.0f} s\n")
    _addresses(one, tools)


def down(folder: Path, *, keep: bool = False) -> None:
    """End everything, and delete the folder unless its logs are wanted."""
    if not folder.exists():
        return
    site = Site(folder)
    killed = site.stop(DRAIN_S)
    elsewhere = site.folder / "elsewhere"
    if elsewhere.exists():
        shutil.rmtree(elsewhere.read_text(), ignore_errors=True)
    if not keep:
        shutil.rmtree(site.folder, ignore_errors=True)
    for name in killed:
        print(f"  {name} did not drain in {DRAIN_S:g} s and was killed")


def _addresses(one: Installation, tools: dict[str, bool]) -> None:
    env = one.site.folder / "env"
    lines = one.environ("operator") | {"PRODUCER_URL": one.broker_url("producer")}
    env.write_text("".join(f"export {k}={shlex.quote(v)}\n" for k, v in lines.items()))
    env.chmod(0o600)

    def at(name: str) -> str:
        return f"http://127.0.0.1:{one.ports[name]}"

    rows = [("console", at("console"), f"{LOGIN} / {one.reviewer}")]
    if tools["Flower"]:
        rows.append(("Flower", at("flower"), f"operator / {one.flower}"))
    if tools["Prometheus"]:
        rows.append(("Prometheus", at("prometheus"), ""))
    rows.append(("exporter", at("exporter") + "/metrics", ""))
    rows.append(("RabbitMQ", at("rabbitmq"), f"administrator / {one.administrator}"))
    for name, address, login in rows:
        print(f"  {name:11} {address:32} {login}".rstrip())
    for name, there in tools.items():
        if not there:
            print(f"  {name} is not installed here")
    print(f"\n  packshot commands:  . {env}")
    print(f"  logs:               {one.site.folder / 'log'}\n  and to end it:      make down")


def _tell(what: str) -> None:
    print(f"  starting {what}", flush=True)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.up", description=__doc__)
    parser.add_argument("command", choices=("up", "down"))
    parser.add_argument("--folder", type=Path, default=Path("packshot-up"))
    parser.add_argument("--port", type=int, default=28100, help="first port that is tried")
    args = parser.parse_args()
    try:
        if args.command == "up":
            up(args.folder, args.port)
        else:
            down(args.folder)
    except UpError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
