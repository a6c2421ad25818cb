"""A graph read backwards: what makes a value, and the value itself where it is constant."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from packshot.errors import ModelFailure

Weights = NDArray[np.float32]
#: What stands in the place of a node; None where it stays.
Replace = Callable[[onnx.NodeProto], Sequence[onnx.NodeProto] | None]


class Makers:
    """The nodes of a graph by what they answer; nodes that only pass a value on are seen through.

    It shows the graph as it was when this was made.
    """

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._nodes = {name: node for node in graph.node for name in node.output}
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}

    def source(self, name: str) -> str:
        """The name under which a value was made."""
        while (node := self._nodes.get(name)) is not None and node.op_type == "Identity":
            name = node.input[0]
        return name

    def maker(self, name: str) -> onnx.NodeProto | None:
        """The node that makes a value; None for inputs and weights."""
        return self._nodes.get(self.source(name))

    def made_by(self, name: str, kind: str, *, where: str) -> onnx.NodeProto:
        """The node that makes a value; raises `ModelFailure` where it is of another kind."""
        node = self.maker(name)
        if node is None:
            raise ModelFailure(f"{where} ends at the graph's input.")
        if node.op_type != kind:
            raise ModelFailure(f"{where} has {node.op_type} instead of {kind}.")
        return node

    def constant(self, name: str) -> Weights | None:
        """A value that no input changes, through whatever gives it another shape; else None."""
        name = self.source(name)
        node, tensor = self._nodes.get(name), self._tensors.get(name)
        if node is not None and node.op_type == "Constant":
            tensor = node.attribute[0].t
        if tensor is not None:
            return np.asarray(numpy_helper.to_array(tensor), np.float32)
        if node is None or node.op_type != "Reshape":
            return None
        return self.constant(node.input[0])


def add_weights(graph: onnx.GraphProto, weights: dict[str, Weights]) -> None:
    """Add constants by their names."""
    graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name)
        for name, values in weights.items()
    )


def settings(node: onnx.NodeProto) -> dict[str, Any]:
    """A node's attributes by their names."""
    return {one.name: helper.get_attribute_value(one) for one in node.attribute}


def replace_nodes(graph: onnx.GraphProto, replace: Replace) -> int:
    """Ask for each node what stands in its place, drop what no output needs; how many it were."""
    made: list[onnx.NodeProto] = []
    count = 0
    for node in graph.node:
        others = replace(node)
        count += others is not None
        made.extend([node] if others is None else others)
    del graph.node[:]
    graph.node.extend(made)
    drop_unused(graph)
    return count


def drop_unused(graph: onnx.GraphProto) -> None:
    """Drop nodes and weights that no output depends on; order the rest as it was."""
    wanted = {output.name for output in graph.output}
    makers = {name: node for node in graph.node for name in node.output}
    waiting = list(wanted)
    while waiting:
        node = makers.get(waiting.pop())
        for name in node.input if node is not None else ():
            if name and name not in wanted:
                wanted.add(name)
                waiting.append(name)
    kept = [node for node in graph.node if wanted.intersection(node.output)]
    weights = [tensor for tensor in graph.initializer if tensor.name in wanted]
    shapes = [value for value in graph.value_info if value.name in wanted]
    for field, left in (
        (graph.node, kept),
        (graph.initializer, weights),
        (graph.value_info, shapes),
    ):
        del field[:]
        field.extend(left)
