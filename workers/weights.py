"""Bringing missing weights before a run, so that one command is enough."""

from rich.console import Console

from models.bundle import WEIGHTS
from models.registry import Registry
from models.weights.pull import pull
from models.weights.verify import State, check
from packshot.settings import Settings


def ensure(settings: Settings, console: Console) -> None:
    """Pull the default weights that are not on this machine yet.

    Raises what `models.weights.pull.pull` raises, with a sentence for a machine that is offline.
    """
    registry = Registry(settings.models)
    names = [name for names in WEIGHTS.values() for name in names]
    missing = [name for name in names if check(registry, name) is not State.OK]
    if missing:
        with console.status(f"Bringing the weights (once per machine): {', '.join(missing)}"):
            pull(registry, missing)
