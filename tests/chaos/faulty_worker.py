"""A worker of the product in which something goes wrong on command: `faulty_worker ROLE ...`.

The arguments are those of `packshot worker`; what goes wrong stands in the environment as JSON. The
product itself has no switches for this: everything is hung in from here before it starts.
"""

import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Environment variable with the faults; see scenario.Faults.
VARIABLE = "CHAOS_FAULTS"


#: What writes a step's result: alone, or with the begin of the next step.
COMMITS = ("commit", "advance")


class Executioner:
    """Kills this process, as a crash would: with a seeded chance, within the scenario's budget."""

    def __init__(self, faults: dict[str, Any]) -> None:
        self._random = random.Random(faults["seed"])
        self._chance = float(faults["chance"])
        self._budget = int(faults["budget"])
        self._folder = Path(faults["folder"])
        self._window = str(faults["window"])
        self._lock = threading.Lock()

    def strike(self) -> None:
        """Perhaps end here and now. A marker says when, and counts against the budget."""
        with self._lock:
            if self._random.random() >= self._chance:
                return
            for number in range(self._budget):
                with contextlib.suppress(FileExistsError):
                    marker = self._folder / f"kill-{number:04}"
                    with marker.open("x", encoding="utf-8") as file:
                        file.write(f"{time.time()} {self._window}\n")
                    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str, strike: Callable[[], None]) -> None:
    """Strike each time before `owner.name` is called."""
    original = getattr(owner, name)

    def wrapped(*args: Any, **options: Any) -> Any:
        strike()
        return original(*args, **options)

    setattr(owner, name, wrapped)


def after(owner: Any, name: str, strike: Callable[[Any], None]) -> None:
    """Strike each time after `owner.name` has returned; told of the answer."""
    original = getattr(owner, name)

    def wrapped(*args: Any, **options: Any) -> Any:
        answer = original(*args, **options)
        strike(answer)
        return answer

    setattr(owner, name, wrapped)


def open_window(window: str, strike: Callable[[], None]) -> None:
    """Hang the executioner into one of the moments that a crash can tear apart."""
    from celery.worker.request import Request

    from packshot.store.ledger import Ledger
    from tasks import workflow
    from tasks.relay import Relay

    def around_commit(hung: Callable[[Any, str], None]) -> None:
        for name in COMMITS:
            hung(Ledger, name)

    hang: dict[str, Callable[[], None]] = {
        "before_commit": lambda: around_commit(lambda owner, name: before(owner, name, strike)),
        "after_commit": lambda: around_commit(
            lambda owner, name: after(owner, name, lambda _: strike())
        ),
        "before_ack": lambda: before(Request, "acknowledge", strike),
        "intake_before_start": lambda: before(workflow, "start", strike),
        "intake_before_ack": lambda: after(workflow, "start", lambda _: strike()),
        "relay_before_mark": lambda: after(Relay, "_publish", lambda _: strike()),
        "reconciled_before_start": lambda: after(
            Ledger, "standing_still", lambda found: strike() if found else None
        ),
    }
    hang[window]()


def deadly_photo(size: tuple[int, int]) -> None:
    """Let a photo of this size end the process, as a runtime with a memory error would."""
    from models.fake import FakeReader

    original = FakeReader.read

    def read(self: FakeReader, rgb: Any) -> Any:
        if rgb.shape[:2] == (size[1], size[0]):
            time.sleep(self.seconds / 2)  # in the middle of the work of others
            os._exit(139)
        return original(self, rgb)

    FakeReader.read = read  # type: ignore[method-assign]


def hanging_photo(size: tuple[int, int], *, deaf: bool) -> None:
    """Let the model not come back from a photo of this size; unless deaf, it can be told to."""
    from models.cancel import current
    from models.fake import FakeReader
    from packshot.errors import ModelFailure

    original = FakeReader.read

    def read(self: FakeReader, rgb: Any) -> Any:
        if rgb.shape[:2] == (size[1], size[0]):
            told = threading.Event()
            cancellation = None if deaf else current()
            if cancellation is None:
                told.wait()
            else:
                with cancellation.watching(told.set):
                    told.wait()
            raise ModelFailure("The run was ended from outside.")
        return original(self, rgb)

    FakeReader.read = read  # type: ignore[method-assign]


def short_heartbeat(seconds: int) -> None:
    """Beat faster than the product's settings say, on every connection."""
    import amqp

    original = amqp.Connection.__init__

    def opened(self: Any, *args: Any, **options: Any) -> None:
        if options.get("heartbeat"):
            options["heartbeat"] = min(seconds, options["heartbeat"])
        original(self, *args, **options)

    amqp.Connection.__init__ = opened


def other_pipeline(version: str) -> None:
    """Be another release as far as the input keys and the provenance are concerned."""
    from packshot import summary

    summary.PIPELINE = version


def main() -> None:
    """Hang everything in, then run `packshot worker`."""
    faults = json.loads(os.environ[VARIABLE])
    if faults["pipeline"]:
        other_pipeline(faults["pipeline"])  # before anybody has imported the name
    if faults["heartbeat"]:
        short_heartbeat(faults["heartbeat"])
    if faults["window"]:
        open_window(faults["window"], Executioner(faults).strike)
    if faults["deadly"]:
        deadly_photo(faults["deadly"])
    if faults["hanging"]:
        hanging_photo(faults["hanging"], deaf=faults["deaf"])
    if faults["without"]:
        from tests.chaos.unguarded import take_away

        take_away(faults["without"])
    from packshot.cli import main as packshot

    sys.argv = ["packshot", "-v", "worker", *sys.argv[1:]]
    packshot()


if __name__ == "__main__":
    main()
