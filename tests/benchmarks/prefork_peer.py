"""What one would build with Celery alone: a chain of three tasks, and prefork children.

Runs in the peer's environment and imports nothing of Packshot. Every child holds its own models;
`PEER_DONE` is the folder of the results, `PEER_CLASSIFIER` the classifier's weights.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

DONE = Path(os.environ["PEER_DONE"])
app = Celery("peer", broker=os.environ["PEER_BROKER"])
app.conf.task_ignore_result = True
app.conf.worker_prefetch_multiplier = 1
_models: dict[str, Any] = {}


@worker_process_init.connect  # type: ignore[untyped-decorator] # celery has no types
def load(**_: Any) -> None:
    """Load the models of a child, look at one photo, and say that it is ready."""
    rapidocr, rembg = import_module("rapidocr"), import_module("rembg")
    runtime = import_module("onnxruntime")
    _models["text"] = rapidocr.RapidOCR(params={"Global.log_level": "error"})
    _models["matte"] = rembg.new_session("u2netp")
    _models["class"] = runtime.InferenceSession(
        os.environ["PEER_CLASSIFIER"], providers=["CPUExecutionProvider"]
    )
    first = os.environ["PEER_WARM"]
    _read(first), _classify(first), _cut(first)
    (DONE / f"ready-{os.getpid()}").touch()


@app.task(name="peer.read")  # type: ignore[untyped-decorator]
def read(path: str) -> list[Any]:
    """Text."""
    return [path, _read(path)]


@app.task(name="peer.classify")  # type: ignore[untyped-decorator]
def classify(before: list[Any]) -> list[Any]:
    """Category."""
    return [*before, _classify(before[0])]


@app.task(name="peer.matte")  # type: ignore[untyped-decorator]
def matte(before: list[Any]) -> None:
    """Cut-out, and the end."""
    target = DONE / f"{Path(before[0]).stem}.png"
    _cut(before[0]).save(target.with_suffix(".part"), format="png")
    target.with_suffix(".part").rename(target)


def _read(path: str) -> list[str]:
    return list(_models["text"](path).txts or ())


def _classify(path: str) -> int:
    peer = import_module("peer")
    picture = import_module("PIL.Image").open(path).convert("RGB")
    found = _models["class"].run(None, {"image": peer.tensor(picture)})[0]
    return int(found.argmax())


def _cut(path: str) -> Any:
    picture = import_module("PIL.Image").open(path).convert("RGB")
    return import_module("rembg").remove(picture, session=_models["matte"])
