"""Graphs said in another way: the same answers, from operations that the runtimes do faster."""

import numpy as np
import onnx
from onnx import helper

from models.weights.graph import Makers, Weights, add_weights, drop_unused, settings
from packshot.errors import ModelFailure


def first_output(model: onnx.ModelProto) -> dict[str, str]:
    """Leave out every output but the first, and what is computed for the others alone."""
    graph = model.graph
    del graph.output[1:]
    drop_unused(graph)
    return {}


def upsample_last(model: onnx.ModelProto) -> dict[str, str]:
    """Let a text detector's head rearrange its pixels once, at its end.

    The head doubles its picture twice, each time by a transposed convolution whose kernel is its
    stride, two: every pixel of its input makes four of its output, and no two meet. That is a 1x1
    convolution to four times the channels and a rearrangement, and since the second one treats
    every pixel alike, its rearrangement may wait for both. All arithmetic is then done at a quarter
    of the side; and where a runtime keeps a pixel's channels together, the sigmoid does 16 of them
    at once instead of one. In OpenVINO that took 22 ms of 102 from a picture of 992 x 736.

    Raises `ModelFailure` where the graph does not end in such a head.
    """
    end = _Trail(model.graph)
    end.back("Sigmoid")
    outer_bias = end.bias()
    outer = end.doubling()
    end.back("Relu")
    inner_bias = end.bias()
    inner = end.doubling()
    if outer.shape[1] != 1:
        raise ModelFailure("The text detector's head ends in more than one channel.")
    wide, narrow = _spread(inner), _within(outer)
    made = {
        "head.inner.weight": wide[..., None, None],
        "head.inner.bias": np.tile(inner_bias, 4),
        "head.outer.weight": narrow[..., None, None],
        "head.outer.bias": np.tile(outer_bias, 16),
    }
    graph = model.graph
    add_weights(graph, made)
    last = graph.output[0].name
    graph.node.remove(next(node for node in graph.node if last in node.output))
    inner_names = ["head.inner.weight", "head.inner.bias"]
    outer_names = ["head.outer.weight", "head.outer.bias"]
    graph.node.extend(
        (
            helper.make_node("Conv", [end.at, *inner_names], ["head.wide"], kernel_shape=[1, 1]),
            helper.make_node("Relu", ["head.wide"], ["head.active"]),
            helper.make_node(
                "Conv", ["head.active", *outer_names], ["head.narrow"], kernel_shape=[1, 1]
            ),
            helper.make_node("Sigmoid", ["head.narrow"], ["head.chances"]),
            helper.make_node("DepthToSpace", ["head.chances"], [last], blocksize=4),
        )
    )
    drop_unused(graph)
    return {}


def _spread(kernel: Weights) -> Weights:
    """A doubling kernel (in, out, 2, 2) as a 1x1 one: (row, column, out) x in."""
    inputs, outputs, *_ = kernel.shape
    return kernel.transpose(2, 3, 1, 0).reshape(4 * outputs, inputs)


def _within(kernel: Weights) -> Weights:
    """The kernel (in, 1, 2, 2) that doubles what `_spread` has made, on each of its four pixels.

    Rows are the 16 pixels in reading order, (row, finer row, column, finer column); columns are
    (row, column, in).
    """
    inputs = kernel.shape[0]
    whole = np.zeros((2, 2, 2, 2, 2, 2, inputs), np.float32)
    for row in range(2):
        for column in range(2):
            whole[row, :, column, :, row, column] = kernel[:, 0].transpose(1, 2, 0)
    return whole.reshape(16, 4 * inputs)


class _Trail:
    """A walk from a graph's output towards its input."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._makers = Makers(graph)
        self.at = graph.output[0].name

    def back(self, kind: str) -> onnx.NodeProto:
        """Step over the node that makes this value, which must be of this kind; that node."""
        node = self._makers.made_by(self.at, kind, where="The text detector's head")
        self.at = self._makers.source(node.input[0])
        return node

    def bias(self) -> Weights:
        """Step over an addition of one number a channel; those numbers."""
        return self._value(self.back("Add").input[1]).ravel()

    def doubling(self) -> Weights:
        """Step over a transposed convolution that doubles both sides; its kernel."""
        node = self.back("ConvTranspose")
        found = settings(node)
        plain = {"strides": [2, 2], "pads": [0, 0, 0, 0], "dilations": [1, 1], "group": 1}
        kernel = self._value(node.input[1])
        if kernel.shape[2:] != (2, 2) or any(
            found.get(name, usual) != usual for name, usual in plain.items()
        ):
            raise ModelFailure("The text detector's head does not double its picture.")
        return kernel

    def _value(self, name: str) -> Weights:
        values = self._makers.constant(name)
        if values is None:
            raise ModelFailure("The text detector's head has weights that are not constant.")
        return values
