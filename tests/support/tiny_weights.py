"""Models of a few bytes, and manifests that lead to them."""

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.manifest import Entry, Manifest
from models.registry import Registry

#: Scale, denormal, denormal, zero: what the tiny model multiplies its input by.
FACTORS = np.array([2.0, 1e-40, -1e-42, 0.0], np.float32)


def tiny_model(
    factors: NDArray[np.float32] = FACTORS, *, charset: str | None = None
) -> onnx.ModelProto:
    """`y = x * factors + offset`, x [1, 4]; the offset hides in a Constant node."""
    offset = numpy_helper.from_array(np.array([0.0, 1e-41, 1.0, 0.5], np.float32), "offset")
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Constant", [], ["offset"], value=offset),
            helper.make_node("Mul", ["x", "factors"], ["scaled"]),
            helper.make_node("Add", ["scaled", "offset"], ["y"]),
        ],
        "tiny",
        [info("x", TensorProto.FLOAT, [1, 4])],
        [info("y", TensorProto.FLOAT, [1, 4])],
        [numpy_helper.from_array(factors, "factors")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if charset is not None:
        model.metadata_props.add(key="character", value=charset)
    return model


def tiny_bytes(**options: Any) -> bytes:
    """The tiny model as a file's content."""
    content: bytes = tiny_model(**options).SerializeToString()
    return content


def wheel(folder: Path, name: str, members: dict[str, bytes]) -> Path:
    """A wheel `name` 1.0 that pip accepts, with nothing in it but `members`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def entry(content: bytes | None, *sources: dict[str, Any], **changes: Any) -> Entry:
    """An entry `tiny` whose bytes are `content`, or are not known where that is None."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "task": "classification",
        "version": "1",
        "licence": "MIT",
        "licence_url": "https://example.org/licence",
        "commercial": True,
        "homepage": "https://example.org",
        "sha256": hashlib.sha256(content).hexdigest() if content is not None else None,
        "input": {
            "shape": [-1, 3, 8, 8],
            "order": "RGB",
            "scale": 255.0,
            "mean": [0.0, 0.0, 0.0],
            "std": [1.0, 1.0, 1.0],
        },
        "sources": list(sources),
    }
    return Entry.model_validate(fields | changes)


def registry(cache: Path, *entries: Entry) -> Registry:
    """A registry that knows these entries alone."""
    return Registry(cache, manifest=Manifest(entries=entries))
