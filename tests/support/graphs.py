"""Small graphs, made by hand, run, and changed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Change = Callable[[onnx.GraphProto], None]


def run(model: onnx.ModelProto, x: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    answers: list[NDArray[np.float32]] = session.run(None, {"x": x})
    return answers


def model_of(
    nodes: list[onnx.NodeProto],
    weights: dict[str, Any],
    outputs: tuple[str, ...],
    *,
    size: tuple[str | int, str | int] = ("h", "w"),
) -> onnx.ModelProto:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "made",
        [info("x", TensorProto.FLOAT, ["n", 3, *size])],
        [info(name, TensorProto.FLOAT, ["n", "c", "i", "j"]) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def named(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    return next(node for node in graph.node if node.name == name)


def becomes(name: str, kind: str) -> Change:
    """The node is another one."""
    return lambda graph: setattr(named(graph, name), "op_type", kind)


def has(name: str, attribute: str, *values: int) -> Change:
    """The node's attribute is another one."""

    def change(graph: onnx.GraphProto) -> None:
        node = named(graph, name)
        kept = [one for one in node.attribute if one.name != attribute]
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute(attribute, values)])

    return change


def reads(name: str, number: int, source: str) -> Change:
    """The node's input is another one."""
    return lambda graph: named(graph, name).input.__setitem__(number, source)
