"""U2-Net's end: its small maps are enlarged and weighed by two products of matrices."""

import numpy as np
import onnx
from onnx import helper

from models.weights.graph import Makers, Weights, add_weights, replace_nodes, settings
from packshot.errors import ModelFailure

#: Where a bilinear enlargement takes the middle of a pixel to be; they differ for one pixel only.
_CENTRED = frozenset({b"half_pixel", b"pytorch_half_pixel"})
_END = "The net's end"


def multiply_sides(model: onnx.ModelProto) -> dict[str, str]:
    """Enlarge the maps of the coarser stages with constant matrices, all in the last product.

    The net has one map for each stage, of one channel, and the coarser ones are enlarged to the
    size of the first before a weighted sum of all. Bilinear enlargement is linear in rows and in
    columns: E S E'. With the weights in the left matrices, set side by side, and the S E' on top
    of each other, their sum is one product. In OpenVINO, which enlarges one channel a number at a
    time, this took 5.5 ms of 65; the matrices' numbers are exact in bfloat16 but for the weights.

    Raises `ModelFailure` where the graph does not end so.
    """
    graph = model.graph
    makers = Makers(graph)
    last = makers.made_by(graph.output[0].name, "Sigmoid", where=_END)
    weigh = makers.made_by(last.input[0], "Conv", where=_END)
    first, *enlarged = makers.made_by(weigh.input[0], "Concat", where=_END).input
    shares, bias = (makers.constant(name) for name in weigh.input[1:3])
    if shares is None or bias is None or shares.shape != (1, 1 + len(enlarged), 1, 1):
        raise ModelFailure("The net does not end in one weighted sum of its maps.")
    sides = [_enlarging(makers, name) for name in enlarged]
    sizes = _sizes(model, [first, *(side.input[0] for side in sides)])
    matrices = [_bilinear(size, sizes[0]) for size in sizes[1:]]
    weights = {f"sides.across.{at}": matrix.T for at, matrix in enumerate(matrices)}
    weights |= {
        "sides.down": np.hstack(
            [share * one for share, one in zip(shares.ravel()[1:], matrices, strict=True)]
        ),
        "sides.share": shares[:, :1],
        "sides.bias": bias.reshape(1, 1, 1, 1),
    }
    add_weights(graph, weights)
    node = helper.make_node
    rows = [f"sides.row.{at}" for at in range(len(sides))]
    end = [
        *(
            node("MatMul", [side.input[0], f"sides.across.{at}"], [rows[at]])
            for at, side in enumerate(sides)
        ),
        node("Concat", rows, ["sides.rows"], axis=2),
        node("MatMul", ["sides.down", "sides.rows"], ["sides.coarse"]),
        node("Mul", [first, "sides.share"], ["sides.fine"]),
        node("Add", ["sides.coarse", "sides.bias"], ["sides.biased"]),
        node("Add", ["sides.biased", "sides.fine"], ["sides.sum"]),
        node("Sigmoid", ["sides.sum"], last.output),
    ]
    replace_nodes(graph, lambda one: end if one is last else None)
    return {}


def _enlarging(makers: Makers, name: str) -> onnx.NodeProto:
    node = makers.made_by(name, "Resize", where=_END)
    how = settings(node)
    centred = how.get("coordinate_transformation_mode", b"half_pixel") in _CENTRED
    if how.get("mode") != b"linear" or not centred:
        raise ModelFailure("The net does not enlarge its maps bilinearly.")
    return node


def _sizes(model: onnx.ModelProto, names: list[str]) -> list[int]:
    """The side of each map, which must be square and of one channel."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in graph.value_info
    }
    sizes = []
    for name in names:
        channels, height, width = shapes.get(name, (0, 0, 0, 0))[1:]
        if channels != 1 or height != width or not height:
            raise ModelFailure("The net's maps are not squares of one channel.")
        sizes.append(height)
    return sizes


def _bilinear(small: int, large: int) -> Weights:
    """The matrix (large, small) that enlarges a column bilinearly; beyond the edge it repeats."""
    place = (np.arange(large) + 0.5) * small / large - 0.5
    before = np.floor(place).astype(int)
    share = (place - before).astype(np.float32)
    matrix = np.zeros((large, small), np.float32)
    for offset, part in ((0, 1 - share), (1, share)):
        matrix[np.arange(large), np.clip(before + offset, 0, small - 1)] += part
    return matrix
