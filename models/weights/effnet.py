"""EfficientNet-Lite: build the ONNX graph from the weights of a torch checkpoint, without torch.

Architecture: Tan and Le, "EfficientNet" (ICML 2019), in its Lite form (no squeeze-and-excitation,
ReLU6 instead of swish, stem and head not scaled). Batch normalisation is folded into the
convolutions; padding is TensorFlow's "SAME", which is asymmetric and depends on the input size.
"""

import math
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
class _Stage:
    repeats: int
    kernel: int
    stride: int
    expand: int
    inputs: int
    outputs: int


VARIANTS = {
    "efficientnet-lite0": Variant(width=1.0, depth=1.0, side=224),
    "efficientnet-lite2": Variant(width=1.1, depth=1.2, side=260),
}
_STAGES = (
    _Stage(1, 3, 1, 1, 32, 16),
    _Stage(2, 3, 2, 6, 16, 24),
    _Stage(2, 5, 2, 6, 24, 40),
    _Stage(3, 3, 2, 6, 40, 80),
    _Stage(3, 5, 1, 6, 80, 112),
    _Stage(4, 5, 2, 6, 112, 192),
    _Stage(1, 3, 1, 6, 192, 320),
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


class _Builder:
    """Collects nodes and weights of one graph; takes each weight once."""

    def __init__(self, weights: _Weights, side: int) -> None:
        self._weights = dict(weights)
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.size = side
        self._six = self.constant("six", np.float32(6))
        self._zero = self.constant("zero", np.float32(0))

    def take(self, key: str) -> NDArray[Any]:
        try:
            return self._weights.pop(key)
        except KeyError:
            raise ModelFailure(f"The checkpoint has no weight called {key}.") from None

    @property
    def left(self) -> list[str]:
        return sorted(self._weights)

    def constant(self, name: str, value: NDArray[Any] | np.float32) -> str:
        array = np.ascontiguousarray(value, np.float32).reshape(np.shape(value))
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def op(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
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
        return self.op("Clip", [x, self._zero, self._six], f"{x}.relu6")


def _block(b: _Builder, x: str, prefix: str, stage: _Stage, inputs: int, stride: int) -> str:
    """One inverted residual block (MobileNetV2): expand, depthwise, project, add."""
    skip = x
    if stage.expand != 1:
        x = b.relu6(b.conv(x, f"{prefix}_expand_conv", f"{prefix}_bn0"))
    groups = inputs * stage.expand
    depthwise = b.conv(x, f"{prefix}_depthwise_conv", f"{prefix}_bn1", stride=stride, groups=groups)
    x = b.conv(b.relu6(depthwise), f"{prefix}_project_conv", f"{prefix}_bn2")
    if stride == 1 and inputs == stage.outputs:
        x = b.op("Add", [x, skip], f"{prefix}add")
    return x


def _body(b: _Builder, variant: Variant) -> str:
    x = b.relu6(b.conv("image", "_conv_stem", "_bn0", stride=2))
    number = 0
    for index, stage in enumerate(_STAGES):
        # Lite models do not scale the depth of the first and last stage, nor the stem.
        scaled = index not in {0, len(_STAGES) - 1}
        repeats = math.ceil(variant.depth * stage.repeats) if scaled else stage.repeats
        inputs = _channels(stage.inputs, variant.width) if index else stage.inputs
        outputs = _channels(stage.outputs, variant.width)
        shape = _Stage(repeats, stage.kernel, stage.stride, stage.expand, inputs, outputs)
        for repeat in range(repeats):
            first = repeat == 0
            x = _block(
                b,
                x,
                f"_blocks.{number}.",
                shape,
                inputs if first else outputs,
                stage.stride if first else 1,
            )
            number += 1
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
    b = _Builder(weights, variant.side)
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
