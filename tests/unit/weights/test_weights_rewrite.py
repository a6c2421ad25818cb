"""A graph that is said in another way answers as before."""

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

from models.weights.rewrite import first_output, upsample_last
from packshot.errors import ModelFailure
from tests.support.graphs import Change, becomes, has, model_of, named, reads, run


def detector(channels: int = 1) -> onnx.ModelProto:
    """A text detector's head as Paddle's exporter writes it: biases apart, and names passed on."""
    random = np.random.default_rng(3)

    def noise(*shape: int) -> NDArray[np.float32]:
        return random.normal(0, 0.5, shape).astype(np.float32)

    weights = {
        "first": noise(4, 3, 3, 3),
        "inner": noise(4, 5, 2, 2),
        "inner.flat": noise(5),
        "channels": np.array([1, -1, 1, 1]),
        "outer": noise(5, channels, 2, 2),
        "outer.bias": noise(1, channels, 1, 1),
    }
    node, doubling = helper.make_node, {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        node("Conv", ["x", "first"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Relu", ["c"], ["d"]),
        node("Identity", ["inner"], ["inner.cast"]),
        node("Reshape", ["inner.flat", "channels"], ["inner.bias"]),
        node("ConvTranspose", ["d", "inner.cast"], ["e"], name="inner", **doubling),
        node("Add", ["e", "inner.bias"], ["f"]),
        node("Relu", ["f"], ["g"], name="between"),
        node("Identity", ["g"], ["h"]),
        node("ConvTranspose", ["h", "outer"], ["i"], name="outer", **doubling),
        node("Identity", ["i"], ["j"]),
        node("Add", ["j", "outer.bias"], ["k"]),
        node("Sigmoid", ["k"], ["y"], name="last"),
    ]
    return model_of(nodes, weights, ("y",))


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (1, 3, 5, 7), (3, 3, 8, 4)])
def test_a_detector_whose_head_rearranges_last_answers_the_same(shape: tuple[int, ...]) -> None:
    model = detector()
    x = np.random.default_rng(5).normal(size=shape).astype(np.float32)
    (before,) = run(model, x)
    assert before.shape == (shape[0], 1, 4 * shape[2], 4 * shape[3])
    assert before.std() > 0.05

    upsample_last(model)

    onnx.checker.check_model(model)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds == ["Conv", "Relu", "Conv", "Relu", "Conv", "Sigmoid", "DepthToSpace"]
    assert {tensor.name for tensor in model.graph.initializer}.isdisjoint({"inner", "outer"})
    np.testing.assert_allclose(run(model, x)[0], before, atol=1e-6)


def test_an_output_that_is_only_passed_on_keeps_its_name() -> None:
    model = detector()
    named(model.graph, "last").output[0] = "z"
    model.graph.node.append(helper.make_node("Identity", ["z"], ["y"]))
    x = np.random.default_rng(5).normal(size=(1, 3, 4, 4)).astype(np.float32)
    before = run(model, x)

    upsample_last(model)

    onnx.checker.check_model(model)
    np.testing.assert_allclose(run(model, x)[0], before[0], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(becomes("last", "Tanh"), "Tanh instead of Sigmoid", id="activation"),
        pytest.param(becomes("between", "Elu"), "Elu instead of Relu", id="between"),
        pytest.param(becomes("outer", "Conv"), "Conv instead of ConvTranspose", id="no doubling"),
        pytest.param(has("outer", "strides", 1, 1), "does not double", id="stride"),
        pytest.param(has("inner", "pads", 1, 1, 1, 1), "does not double", id="padding"),
        pytest.param(reads("outer", 1, "first"), "does not double", id="a kernel of three"),
        pytest.param(reads("outer", 1, "c"), "not constant", id="computed weights"),
        pytest.param(reads("last", 0, "x"), "at the graph's input", id="nothing before it"),
    ],
)
def test_a_head_of_another_form_is_refused(change: Change, says: str) -> None:
    model = detector()
    change(model.graph)
    with pytest.raises(ModelFailure, match=says):
        upsample_last(model)


def test_a_head_of_two_channels_is_refused() -> None:
    with pytest.raises(ModelFailure, match="more than one channel"):
        upsample_last(detector(channels=2))


def test_only_what_the_first_output_needs_is_left() -> None:
    nodes = [
        helper.make_node("Mul", ["x", "two"], ["doubled"]),
        helper.make_node("Sigmoid", ["doubled"], ["y"]),
        helper.make_node("Add", ["doubled", "seven"], ["more"]),
        helper.make_node("Sigmoid", ["more"], ["side"]),
    ]
    weights = {"two": np.float32(2), "seven": np.float32(7)}
    model = model_of(nodes, weights, ("y", "side"))
    x = np.random.default_rng(5).normal(size=(1, 3, 2, 2)).astype(np.float32)
    before = run(model, x)

    first_output(model)

    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node] == ["Mul", "Sigmoid"]
    assert [tensor.name for tensor in model.graph.initializer] == ["two"]
    after = run(model, x)
    assert len(after) == 1
    np.testing.assert_array_equal(after[0], before[0])
