"""Gates on channels (squeeze and excitation, Hu et al. 2018) in one pass over the picture."""

import numpy as np
import onnx
from onnx import helper

from models.weights.graph import Makers, add_weights, replace_nodes
from packshot.errors import ModelFailure

#: What a gate ends in: one number a channel, between 0 and 1.
_ENDS = frozenset({"HardSigmoid", "Sigmoid"})
_ONE = "gate.one"


def gate_once(model: onnx.ModelProto) -> dict[str, str]:
    """Say x * (gate + 1) for x + x * gate.

    The gate is one number a channel, x a picture of them, which is read and written once instead
    of twice. The text detector does so eight times: 6 % of its time in single precision.

    Raises `ModelFailure` where the graph adds no gated value to itself.
    """
    graph = model.graph
    makers = Makers(graph)

    def gated(node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
        found = _match(makers, node) if node.op_type == "Add" else None
        if found is None:
            return None
        value, gate = found
        more = f"{node.output[0]}.gate"
        return [
            helper.make_node("Add", [gate, _ONE], [more]),
            helper.make_node("Mul", [value, more], node.output),
        ]

    add_weights(graph, {_ONE: np.ones((), np.float32)})
    if not replace_nodes(graph, gated):
        raise ModelFailure("The graph adds no gated value to itself.")
    return {}


def _match(makers: Makers, node: onnx.NodeProto) -> tuple[str, str] | None:
    """Names of the value and of its gate, where a node adds the one to both multiplied."""
    first, second = (makers.source(name) for name in node.input)
    for value, product in ((first, second), (second, first)):
        times = makers.maker(product)
        if times is None or times.op_type != "Mul":
            continue
        factors = [makers.source(name) for name in times.input]
        if value not in factors:
            continue
        factors.remove(value)
        gate = makers.maker(factors[0])
        if gate is not None and gate.op_type in _ENDS:
            return value, factors[0]
    return None
