"""What is done to weights once, when they are pulled, so that no worker does it at each start."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from models.manifest import Entry, Prepare
from models.weights.effnet import build
from models.weights.gates import gate_once
from models.weights.joins import sum_joined
from models.weights.rewrite import first_output, upsample_last
from models.weights.sides import multiply_sides
from models.weights.unpickle import read_checkpoint
from packshot.errors import ModelFailure

#: The key under which PP-OCR recognisers carry their characters, one a line.
_CHARSET_KEY = "character"
#: The smallest normal float32; what is nearer to zero is denormal.
_TINY = np.finfo(np.float32).tiny


def prepare(entry: Entry, source: Path, target: Path) -> dict[str, str]:
    """Write the prepared ONNX file of `entry` to `target`; return what was moved to metadata.

    Raises:
        ModelFailure: when the file is not what the manifest says it is.
    """
    model = _load(entry, source)
    metadata: dict[str, str] = {}
    for step in entry.prepare:
        metadata |= _STEPS[step](model)
    onnx.save(model, target)
    return metadata


def _load(entry: Entry, source: Path) -> onnx.ModelProto:
    if entry.convert:
        with source.open("rb") as file:
            return build(read_checkpoint(file), entry.convert)
    try:
        model = onnx.load(source)
    except Exception as error:
        raise ModelFailure(f"What was fetched for {entry.name} is not an ONNX model.") from error
    if not model.graph.node:
        raise ModelFailure(f"What was fetched for {entry.name} is not an ONNX model: it is empty.")
    return model


def zero_denormals(model: onnx.ModelProto) -> dict[str, str]:
    """Set denormal weights to zero.

    Arithmetic on them takes a slow path in some CPUs: a tenth of the text detector's weights are
    denormal, and without them it ran 3.2 times as fast on an Intel Xeon (an AMD EPYC does not
    care), with the same output to the last bit.
    """
    for tensor in _float_tensors(model):
        values = numpy_helper.to_array(tensor)
        denormal = (values != 0) & (np.abs(values) < _TINY)
        if denormal.any():
            tensor.CopyFrom(
                numpy_helper.from_array(np.where(denormal, np.float32(0), values), tensor.name)
            )
    return {}


def charset_to_metadata(model: onnx.ModelProto) -> dict[str, str]:
    """Move the characters of a text recogniser out of the file, where nobody parses it for them."""
    kept = [p for p in model.metadata_props if p.key != _CHARSET_KEY]
    found = [p.value for p in model.metadata_props if p.key == _CHARSET_KEY]
    if not found:
        raise ModelFailure("The text recogniser carries no characters; it cannot be used.")
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    return {"charset": found[0].removesuffix("\n")}


def free_batch(model: onnx.ModelProto) -> dict[str, str]:
    """Free the first dimension of inputs and outputs that were exported for one picture.

    Valid only where the graph takes its shapes from its tensors; the contract test compares a
    batch with single pictures.
    """
    graph = model.graph
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    del graph.value_info[:]
    return {}


_STEPS: dict[Prepare, Callable[[onnx.ModelProto], dict[str, str]]] = {
    Prepare.ZERO_DENORMALS: zero_denormals,
    Prepare.CHARSET_TO_METADATA: charset_to_metadata,
    Prepare.FREE_BATCH: free_batch,
    Prepare.FIRST_OUTPUT: first_output,
    Prepare.UPSAMPLE_LAST: upsample_last,
    Prepare.GATE_ONCE: gate_once,
    Prepare.SUM_JOINED: sum_joined,
    Prepare.MULTIPLY_SIDES: multiply_sides,
}


def _float_tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    yield from (t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t") and attribute.t.data_type == onnx.TensorProto.FLOAT:
                yield attribute.t
