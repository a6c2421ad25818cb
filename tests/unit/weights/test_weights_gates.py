"""A gate that is applied in one pass answers what it did in two."""

import numpy as np
import onnx
import pytest
from onnx import helper

from models.weights.gates import gate_once
from packshot.errors import ModelFailure
from tests.support.graphs import Change, becomes, model_of, named, reads, run


def gated(*, gate_first: bool = False, sum_first: bool = False) -> onnx.ModelProto:
    """A convolution, its mean through a gate, and both together, as Paddle's exporter writes it."""
    random = np.random.default_rng(3)
    weights = {
        "picture": random.normal(0, 0.5, (4, 3, 1, 1)).astype(np.float32),
        "gate": random.normal(0, 0.5, (4, 4, 1, 1)).astype(np.float32),
    }
    node = helper.make_node
    factors, parts = ["passed", "opened"], ["passed", "times"]
    nodes = [
        node("Conv", ["x", "picture"], ["c"]),
        node("Identity", ["c"], ["passed"]),
        node("GlobalAveragePool", ["c"], ["mean"]),
        node("Conv", ["mean", "gate"], ["chosen"]),
        node("HardSigmoid", ["chosen"], ["opened"], name="end"),
        node("Mul", factors[::-1] if gate_first else factors, ["times"], name="times"),
        node("Add", parts[::-1] if sum_first else parts, ["sum"], name="sum"),
        node("Relu", ["sum"], ["y"]),
    ]
    return model_of(nodes, weights, ("y",))


@pytest.mark.parametrize("gate_first", [False, True])
@pytest.mark.parametrize("sum_first", [False, True])
def test_one_pass_answers_the_same(gate_first: bool, sum_first: bool) -> None:
    model = gated(gate_first=gate_first, sum_first=sum_first)
    x = np.random.default_rng(5).normal(size=(2, 3, 5, 4)).astype(np.float32)
    (before,) = run(model, x)

    gate_once(model)

    onnx.checker.check_model(model)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds[-3:] == ["Add", "Mul", "Relu"]
    np.testing.assert_allclose(run(model, x)[0], before, atol=1e-6)


def test_what_else_reads_the_product_still_finds_it() -> None:
    model = gated()
    model.graph.node.append(helper.make_node("Mul", ["y", "times"], ["z"]))
    model.graph.output[0].name = "z"
    x = np.random.default_rng(5).normal(size=(1, 3, 5, 4)).astype(np.float32)
    (before,) = run(model, x)

    gate_once(model)

    onnx.checker.check_model(model)
    np.testing.assert_allclose(run(model, x)[0], before, atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(becomes("times", "Div"), id="no product"),
        pytest.param(becomes("sum", "Sub"), id="no sum"),
        pytest.param(becomes("end", "Relu"), id="no gate"),
        pytest.param(reads("sum", 0, "x"), id="something else is added"),
    ],
)
def test_a_graph_without_one_is_refused(change: Change) -> None:
    model = gated()
    change(model.graph)
    with pytest.raises(ModelFailure, match="no gated value"):
        gate_once(model)


def test_the_sum_of_a_value_and_its_square_is_no_gate() -> None:
    model = gated()
    named(model.graph, "times").input[1] = "passed"
    with pytest.raises(ModelFailure, match="no gated value"):
        gate_once(model)
