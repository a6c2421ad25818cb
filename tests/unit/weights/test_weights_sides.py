"""Maps that are enlarged by matrices answer as those that were resized."""

from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from models.weights.sides import multiply_sides
from packshot.errors import ModelFailure
from tests.support.graphs import Change, becomes, model_of, named, run

SIDE = 32


def net(mode: str = "linear", centre: str = "pytorch_half_pixel") -> onnx.ModelProto:
    """U2-Net's end: maps of 32, 16 and 4 pixels, one channel each, enlarged, weighed, summed."""
    random = np.random.default_rng(3)

    def noise(*shape: int) -> NDArray[np.float32]:
        return random.normal(0, 1, shape).astype(np.float32)

    weights: dict[str, Any] = {
        "k0": noise(1, 3, 1, 1),
        "k1": noise(1, 3, 2, 2),
        "k2": noise(1, 3, 8, 8),
        "shares": noise(1, 3, 1, 1),
        "bias": noise(1),
        "scale1": np.array([1, 1, 2, 2], np.float32),
        "scale2": np.array([1, 1, 8, 8], np.float32),
    }
    node, how = helper.make_node, {"mode": mode, "coordinate_transformation_mode": centre}
    nodes = [
        node("Conv", ["x", "k0"], ["d0"], name="d0"),
        node("Conv", ["x", "k1"], ["d1"], strides=[2, 2]),
        node("Conv", ["x", "k2"], ["d2"], strides=[8, 8]),
        node("Resize", ["d1", "", "scale1"], ["u1"], **how),
        node("Resize", ["d2", "", "scale2"], ["u2"], name="u2", **how),
        node("Concat", ["d0", "u1", "u2"], ["maps"], axis=1, name="join"),
        node("Conv", ["maps", "shares", "bias"], ["sum"], name="weigh"),
        node("Sigmoid", ["sum"], ["passed"], name="end"),
        node("Identity", ["passed"], ["y"]),
    ]
    return model_of(nodes, weights, ("y",), size=(SIDE, SIDE))


@pytest.mark.parametrize("centre", ["pytorch_half_pixel", "half_pixel"])
@pytest.mark.parametrize("photos", [1, 3])
def test_matrices_answer_the_same(centre: str, photos: int) -> None:
    model = net(centre=centre)
    x = np.random.default_rng(5).normal(size=(photos, 3, SIDE, SIDE)).astype(np.float32)
    (before,) = run(model, x)
    assert before.std() > 0.05

    multiply_sides(model)

    onnx.checker.check_model(model)
    kinds = [node.op_type for node in model.graph.node]
    assert "Resize" not in kinds
    assert kinds.count("MatMul") == 3
    np.testing.assert_allclose(run(model, x)[0], before, atol=1e-5)


def test_it_is_the_enlargement_that_opencv_makes() -> None:
    """A third opinion, so that both runtimes cannot share a mistake."""
    model = net()
    x = np.random.default_rng(5).normal(size=(1, 3, SIDE, SIDE)).astype(np.float32)
    weights = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    multiply_sides(model)

    total = np.full((SIDE, SIDE), weights["bias"][0], np.float32)
    for name, stride, share in zip(
        ("k0", "k1", "k2"), (1, 2, 8), weights["shares"].ravel(), strict=True
    ):
        cells = x[0].reshape(3, SIDE // stride, stride, SIDE // stride, stride)
        small = np.einsum("crisj,cij->rs", cells, weights[name][0]).astype(np.float32)
        total += share * cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(run(model, x)[0][0, 0], 1 / (1 + np.exp(-total)), atol=1e-5)


def grows(graph: onnx.GraphProto) -> None:
    """The coarsest map has two rows and one column of what it had."""
    shape = graph.input[0].type.tensor_type.shape
    shape.dim[2].dim_value = 2 * SIDE


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(becomes("end", "Tanh"), "Tanh instead of Sigmoid", id="activation"),
        pytest.param(becomes("weigh", "Gemm"), "Gemm instead of Conv", id="no sum"),
        pytest.param(becomes("join", "Max"), "Max instead of Concat", id="not joined"),
        pytest.param(becomes("u2", "Relu"), "Relu instead of Resize", id="not enlarged"),
        pytest.param(grows, "not squares", id="oblong"),
    ],
)
def test_an_end_of_another_form_is_refused(change: Change, says: str) -> None:
    model = net()
    change(model.graph)
    with pytest.raises(ModelFailure, match=says):
        multiply_sides(model)


@pytest.mark.parametrize(
    ("mode", "centre"), [("nearest", "half_pixel"), ("linear", "align_corners")]
)
def test_another_enlargement_is_refused(mode: str, centre: str) -> None:
    with pytest.raises(ModelFailure, match="bilinearly"):
        multiply_sides(net(mode, centre))


def test_shares_that_are_computed_are_refused() -> None:
    model = net()
    named(model.graph, "weigh").input[1] = "d0"
    with pytest.raises(ModelFailure, match="one weighted sum"):
        multiply_sides(model)
