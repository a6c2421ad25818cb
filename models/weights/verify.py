"""Are the weights on this machine what they were when they were prepared?"""

from enum import StrEnum

from models.registry import Registry
from models.weights.files import sha256_of
from models.weights.receipt import MODEL, Receipt
from packshot.errors import ModelFailure


class State(StrEnum):
    """What was found."""

    OK = "ok"
    MISSING = "missing"
    DAMAGED = "damaged"


def check(registry: Registry, name: str) -> State:
    """Read the whole file of one model and compare it with its receipt."""
    folder = registry.folder(name)
    if not folder.exists():
        return State.MISSING
    model = folder / MODEL
    try:
        receipt = Receipt.read(folder)
    except ModelFailure:
        return State.DAMAGED
    if not model.exists() or model.stat().st_size != receipt.size:
        return State.DAMAGED
    return State.OK if sha256_of(model) == receipt.sha256 else State.DAMAGED
