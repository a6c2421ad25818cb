"""EfficientNet-Lite: build the ONNX graph from the weights of a torch checkpoint, without torch.

Architecture: Tan and Le, "EfficientNet" (ICML 2019), in its Lite form (no squeeze-and-excitation,
ReLU6 instead of swish, stem and head not scaled). Batch normalisation is folded into the
convolutions; padding is TensorFlow's "SAME", which is asymmetric and depends on the input size.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from packshot.errors import ModelFailure


@dataclass(frozen=True, slots=True)
class Variant:
    """Multipliers of channels and of layers, and the side of the square input in pixels."""

    width: float
    depth: float
    side: int


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted residual block; `inputs` and `outputs` are channels, `expand` their factor."""

    kernel: int
    stride: int
    expand: int
    inputs: int
    outputs: int


VARIANTS = {
    "efficientnet-lite0": Variant(width=1.0, depth=1.0, side=224),
    "efficientnet-lite2": Variant(width=1.1, depth=1.2, side=260),
}
#: Repeats, kernel, stride, expansion, channels in and out of each stage of the network.
_STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)
#: The epsilon of the batch normalisation layers in the original TensorFlow code.
_EPSILON = 1e-3
#: Channel counts are rounded to a multiple of this, and by at most a tenth downwards.
_DIVISOR = 8
#: Opset 17 and IR 9 are read by every onnxruntime since 1.13.
_OPSET, _IR = 17, 9

_Weights = dict[str, NDArray[Any]]


def _channels(count: int, width: float) -> int:
    wanted = count * width
    rounded = max(_DIVISOR, int(wanted + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    return rounded + _DIVISOR if rounded < 0.9 * wanted else rounded


def blocks(variant: Variant) -> Iterator[Block]:
    """The blocks of one variant, in order."""
    for index, (base, kernel, first_stride, expand, fan_in, fan_out) in enumerate(_STAGES):
        # Lite models scale neither the depth of the first and last stage nor the stem's channels.
        scaled = index not in {0, len(_STAGES) - 1}
        repeats = math.ceil(variant.depth * base) if scaled else base
        inputs = _channels(fan_in, variant.width) if index else fan_in
        outputs = _channels(fan_out, variant.width)
        yield Block(kernel, first_stride, expand, inputs, outputs)
        for _ in range(repeats - 1):
            yield Block(kernel, 1, expand, outputs, outputs)


class Builder:
    """Collects nodes and weights of one graph; takes each weight once."""

    def __init__(self, weights: _Weights, side: int) -> None:
        self._weights = dict(weights)
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.size = side
        self._six = self.constant("six", np.float32(6))
        self._zero = self.constant("zero", np.float32(0))

    def take(self, key: str) -> NDArray[Any]:
        """Return a weight of the checkpoint, once."""
        try:
            return self._weights.pop(key)
        except KeyError:
            raise ModelFailure(f"The checkpoint has no weight called {key}.") from None

    @property
    def left(self) -> list[str]:
        """Weights that nobody took."""
        return sorted(self._weights)

    def constant(self, name: str, value: NDArray[Any] | np.float32) -> str:
        """Add a float32 constant and return its name."""
        array = np.ascontiguousarray(value, np.float32).reshape(np.shape(value))
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def op(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        """Add a node and return the name of its output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def conv(self, x: str, conv: str, norm: str, *, stride: int = 1, groups: int = 1) -> str:
        """Convolution with its normalisation folded in: w' = w g/s, b' = b - m g/s."""
        weight = self.take(f"{conv}.weight")
        scale = self.take(f"{norm}.weight") / np.sqrt(self.take(f"{norm}.running_var") + _EPSILON)
        bias = self.take(f"{norm}.bias") - self.take(f"{norm}.running_mean") * scale
        self.take(f"{norm}.num_batches_tracked")
        kernel, out = weight.shape[2], math.ceil(self.size / stride)
        pad = max((out - 1) * stride + kernel - self.size, 0)
        self.size = out
        return self.op(
            "Conv",
            [
                x,
                self.constant(f"{conv}.w", weight * scale[:, None, None, None]),
                self.constant(f"{conv}.b", bias),
            ],
            f"{conv}.y",
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            group=groups,
            pads=[pad // 2, pad // 2, pad - pad // 2, pad - pad // 2],
        )

    def relu6(self, x: str) -> str:
        """min(max(x, 0), 6)."""
        return self.op("Clip", [x, self._zero, self._six], f"{x}.relu6")


def _block(b: Builder, x: str, prefix: str, block: Block) -> str:
    """Expand, depthwise, project, add (MobileNetV2, Sandler et al., CVPR 2018)."""
    skip = x
    if block.expand != 1:
        x = b.relu6(b.conv(x, f"{prefix}_expand_conv", f"{prefix}_bn0"))
    x = b.conv(
        x,
        f"{prefix}_depthwise_conv",
        f"{prefix}_bn1",
        stride=block.stride,
        groups=block.inputs * block.expand,
    )
    x = b.conv(b.relu6(x), f"{prefix}_project_conv", f"{prefix}_bn2")
    if block.stride == 1 and block.inputs == block.outputs:
        x = b.op("Add", [x, skip], f"{prefix}add")
    return x


def _body(b: Builder, variant: Variant) -> str:
    x = b.relu6(b.conv("image", "_conv_stem", "_bn0", stride=2))
    for number, block in enumerate(blocks(variant)):
        x = _block(b, x, f"_blocks.{number}.", block)
    return b.relu6(b.conv(x, "_conv_head", "_bn1"))


def build(weights: _Weights, name: str) -> onnx.ModelProto:
    """Build the graph: `image` [n, 3, side, side] -> `probs` [n, 1000], `embedding` [n, 1280].

    All float32; `image` is RGB, (pixel - 127) / 128; `probs` sum to one; `embedding` is the
    pooled output of the last convolution, not normalised.

    Raises:
        ModelFailure: when the checkpoint lacks a weight or has one that the graph does not use,
            since then it is of another architecture.
    """
    variant = VARIANTS[name]
    b = Builder(weights, variant.side)
    b.op("GlobalAveragePool", [_body(b, variant)], "pool")
    b.op("Flatten", ["pool"], "embedding", axis=1)
    matrix, bias = b.take("_fc.weight"), b.take("_fc.bias")
    b.op(
        "Gemm",
        ["embedding", b.constant("fc.w", matrix), b.constant("fc.b", bias)],
        "logits",
        transB=1,
    )
    b.op("Softmax", ["logits"], "probs", axis=1)
    if b.left:
        raise ModelFailure(f"The checkpoint has weights that {name} does not use: {b.left[:3]}.")
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        b.nodes,
        name,
        [info("image", TensorProto.FLOAT, ["n", 3, variant.side, variant.side])],
        [
            info("probs", TensorProto.FLOAT, ["n", bias.size]),
            info("embedding", TensorProto.FLOAT, ["n", matrix.shape[1]]),
        ],
        b.initializers,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR
    )
    onnx.checker.check_model(model)
    return model
