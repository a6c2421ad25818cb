"""Convolutions of joined pictures: the sum of one convolution each, without the joining."""

import math

import onnx
from onnx import helper

from models.weights.graph import Makers, Weights, add_weights, replace_nodes, settings
from packshot.errors import ModelFailure

#: Channels that a matrix unit takes in at once (AMX: a row of 32 bfloat16 numbers). Two pictures of
#: 16 channels fill one row together, and would half fill two.
_ROW = 32
#: Nodes that keep the number of channels.
_KEEPS = frozenset({"Relu", "Resize", "MaxPool"})


def sum_joined(model: onnx.ModelProto) -> dict[str, str]:
    """Convolve each of two joined pictures and add the answers, where that is no more arithmetic.

    Where a runtime keeps a pixel's channels together, joining copies every pixel. By OpenVINO's own
    profile that took 3 of 76 ms of the text detector, and 4.5 of 74 of u2netp at full size alone.

    Raises `ModelFailure` where the graph has no such convolution.
    """
    graph = model.graph
    makers = Makers(graph)
    weights: dict[str, Weights] = {}

    def summed(node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
        parts = _parts(makers, node) if node.op_type == "Conv" else None
        if parts is None:
            return None
        name = node.output[0]
        answers = [f"{name}.left", f"{name}.right"]
        nodes = []
        for answer, (source, kernel), bias in zip(
            answers, parts, (node.input[2:], []), strict=True
        ):
            weights[f"{answer}.kernel"] = kernel
            one = helper.make_node("Conv", [source, f"{answer}.kernel", *bias], [answer])
            one.attribute.extend(node.attribute)
            nodes.append(one)
        return [*nodes, helper.make_node("Add", answers, [name])]

    if not replace_nodes(graph, summed):
        raise ModelFailure("The graph has no convolution of two joined pictures.")
    add_weights(graph, weights)
    return {}


def _parts(
    makers: Makers, node: onnx.NodeProto
) -> tuple[tuple[str, Weights], tuple[str, Weights]] | None:
    """Both joined pictures, each with its part of the kernel; None where a sum is no gain."""
    join, kernel = makers.maker(node.input[0]), makers.constant(node.input[1])
    if join is None or kernel is None or join.op_type != "Concat" or len(join.input) != 2:
        return None
    first, second = join.input
    channels = _channels(makers, first)
    if settings(node).get("group", 1) != 1 or settings(join)["axis"] != 1 or channels is None:
        return None
    inputs = kernel.shape[1]
    if _rows(channels) + _rows(inputs - channels) > _rows(inputs):
        return None
    return (first, kernel[:, :channels]), (second, kernel[:, channels:])


def _rows(channels: int) -> int:
    return math.ceil(channels / _ROW)


def _channels(makers: Makers, name: str) -> int | None:
    """How many channels a picture has; None where that cannot be told."""
    node = makers.maker(name)
    if node is None:
        return None
    if node.op_type == "Conv":
        kernel = makers.constant(node.input[1])
        return None if kernel is None else len(kernel)
    if node.op_type == "Add":  # a bias, or a picture of as many channels
        known = (_channels(makers, one) for one in node.input)
        return max((one for one in known if one is not None), default=None)
    return _channels(makers, node.input[0]) if node.op_type in _KEEPS else None
