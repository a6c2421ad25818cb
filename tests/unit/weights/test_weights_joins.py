"""Two convolutions added answer what one of both pictures joined did."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from models.weights.joins import sum_joined
from packshot.errors import ModelFailure
from tests.support.graphs import Change, has, model_of, named, run


def joined(left: int = 32, right: int = 64, *, axis: int = 1, **settings: Any) -> onnx.ModelProto:
    """Two pictures by ways of their own, joined, and convolved with a bias."""
    random = np.random.default_rng(3)

    def noise(*shape: int) -> Any:
        return random.normal(0, 0.2, shape).astype(np.float32)

    weights = {
        "l": noise(left, 3, 1, 1),
        "l.bias": noise(1, left, 1, 1),
        "r": noise(right, 3, 1, 1),
        "both": noise(5, left + right if axis == 1 else left, 3, 3),
        "bias": noise(5),
    }
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "l"], ["a"]),
        node("Add", ["a", "l.bias"], ["b"]),
        node("Relu", ["b"], ["c"]),
        node("Conv", ["x", "r"], ["d"]),
        node("MaxPool", ["d"], ["e"], kernel_shape=[1, 1]),
        node("Concat", ["c", "e"], ["f"], axis=axis, name="join"),
        node("Identity", ["f"], ["g"]),
        node("Conv", ["g", "both", "bias"], ["h"], pads=[1, 1, 1, 1], name="conv", **settings),
        node("Relu", ["h"], ["y"]),
    ]
    return model_of(nodes, weights, ("y",))


@pytest.mark.parametrize("strides", [[1, 1], [2, 2]])
@pytest.mark.parametrize(("left", "right"), [(32, 64), (24, 24), (64, 64)])
def test_the_sum_answers_the_same(left: int, right: int, strides: list[int]) -> None:
    model = joined(left, right, strides=strides)
    x = np.random.default_rng(5).normal(size=(2, 3, 6, 8)).astype(np.float32)
    (before,) = run(model, x)
    assert before.std() > 0.05

    sum_joined(model)

    onnx.checker.check_model(model)
    assert "Concat" not in {node.op_type for node in model.graph.node}
    assert {tensor.name for tensor in model.graph.initializer}.isdisjoint({"both"})
    np.testing.assert_allclose(run(model, x)[0], before, atol=1e-5)


@pytest.mark.parametrize(("left", "right"), [(16, 16), (16, 48), (8, 24)])
def test_half_filled_rows_are_left_joined(left: int, right: int) -> None:
    with pytest.raises(ModelFailure, match="no convolution of two joined"):
        sum_joined(joined(left, right))


def third(graph: onnx.GraphProto) -> None:
    named(graph, "join").input.append("x")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(third, id="three pictures"),
        pytest.param(has("conv", "group", 2), id="groups"),
    ],
)
def test_another_form_is_left_as_it_is(change: Change) -> None:
    model = joined()
    change(model.graph)
    with pytest.raises(ModelFailure, match="no convolution of two joined"):
        sum_joined(model)


def test_rows_below_each_other_are_no_channels() -> None:
    with pytest.raises(ModelFailure, match="no convolution of two joined"):
        sum_joined(joined(64, 64, axis=2))


def test_a_picture_from_the_input_itself_is_left_joined() -> None:
    """How many channels it has the graph need not say."""
    model = joined()
    named(model.graph, "join").input[0] = "x"
    with pytest.raises(ModelFailure, match="no convolution of two joined"):
        sum_joined(model)
