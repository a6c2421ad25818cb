"""What is done to a graph before it is used changes its speed and form, never its answers."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.weights import effnet
from models.weights.prepare import charset_to_metadata, free_batch, prepare, zero_denormals
from packshot.errors import ModelFailure
from tests.support.tiny_weights import entry, tiny_bytes, tiny_model

X = np.array([[1.0, 2.0, 3.0, 4.0]], np.float32)


def run(model: onnx.ModelProto, x: NDArray[np.float32] = X) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    answer: NDArray[np.float32] = session.run(None, {session.get_inputs()[0].name: x})[0]
    return answer


def denormals(model: onnx.ModelProto) -> int:
    tensors = list(model.graph.initializer) + [
        attribute.t for node in model.graph.node for attribute in node.attribute
    ]
    tiny = np.finfo(np.float32).tiny
    values = [numpy_helper.to_array(tensor) for tensor in tensors]
    return sum(int(((v != 0) & (np.abs(v) < tiny)).sum()) for v in values)


def test_denormal_weights_become_zero_wherever_they_are() -> None:
    model = tiny_model()
    before = run(model)
    assert denormals(model) == 3

    zero_denormals(model)

    assert denormals(model) == 0
    np.testing.assert_allclose(run(model), before, atol=1e-37)


def test_normal_weights_are_not_touched() -> None:
    smallest = np.array([np.finfo(np.float32).tiny, -1e-30, 1.0, np.inf], np.float32)
    model = tiny_model(smallest)

    zero_denormals(model)

    np.testing.assert_array_equal(numpy_helper.to_array(model.graph.initializer[0]), smallest)


@pytest.mark.parametrize(
    ("embedded", "charset"),
    [
        pytest.param("a\nb\nc\n", "a\nb\nc", id="a newline at the end"),
        pytest.param("a\nb", "a\nb", id="none"),
        pytest.param("a\n\u2028\n ", "a\n\u2028\n ", id="characters that look like line ends"),
    ],
)
def test_the_charset_moves_out_of_the_file(embedded: str, charset: str) -> None:
    model = tiny_model(charset=embedded)
    model.metadata_props.add(key="author", value="somebody")

    assert charset_to_metadata(model) == {"charset": charset}
    assert [prop.key for prop in model.metadata_props] == ["author"]


def test_a_recogniser_without_characters_is_refused() -> None:
    with pytest.raises(ModelFailure, match="no characters"):
        charset_to_metadata(tiny_model())


def test_a_freed_batch_answers_as_single_items_do() -> None:
    model = tiny_model()
    rows = [X, X * 2, X - 5]
    single = np.concatenate([run(model, row) for row in rows])

    free_batch(model)

    np.testing.assert_array_equal(run(model, np.concatenate(rows)), single)


def test_prepare_writes_a_file_that_runs(tmp_path: Path) -> None:
    (tmp_path / "in.onnx").write_bytes(tiny_bytes(charset="a\nb\n"))
    mine = entry(
        None,
        {"kind": "path", "path": "/x"},
        prepare=["zero-denormals", "charset-to-metadata", "free-batch"],
    )

    metadata = prepare(mine, tmp_path / "in.onnx", tmp_path / "out.onnx")

    assert metadata == {"charset": "a\nb"}
    onnx.checker.check_model(onnx.load(tmp_path / "out.onnx"))


def test_a_file_that_is_no_model_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "in.onnx").write_bytes(b"<html>not found</html>")
    mine = entry(None, {"kind": "path", "path": "/x"}, prepare=["zero-denormals"])

    with pytest.raises(ModelFailure, match="not an ONNX model"):
        prepare(mine, tmp_path / "in.onnx", tmp_path / "out.onnx")


def random_weights(name: str) -> dict[str, NDArray[np.float32]]:
    """A checkpoint of the right shapes, filled with noise."""
    random = np.random.default_rng(7)

    variant = effnet.VARIANTS[name]
    found: dict[str, NDArray[np.float32]] = {}

    def norm(prefix: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean"):
            found[f"{prefix}.{part}"] = random.normal(1, 0.1, channels).astype(np.float32)
        found[f"{prefix}.running_var"] = random.uniform(0.5, 2, channels).astype(np.float32)
        found[f"{prefix}.num_batches_tracked"] = np.array(0, np.float32)

    def conv(prefix: str, bn: str, out: int, inputs: int, kernel: int) -> None:
        scale = (inputs * kernel * kernel) ** -0.5
        weight = random.normal(0, scale, (out, inputs, kernel, kernel))
        found[f"{prefix}.weight"] = weight.astype(np.float32)
        norm(bn, out)

    conv("_conv_stem", "_bn0", 32, 3, 3)
    for number, block in enumerate(effnet.blocks(variant)):
        prefix, wide = f"_blocks.{number}.", block.inputs * block.expand
        if block.expand != 1:
            conv(f"{prefix}_expand_conv", f"{prefix}_bn0", wide, block.inputs, 1)
        conv(f"{prefix}_depthwise_conv", f"{prefix}_bn1", wide, 1, block.kernel)
        conv(f"{prefix}_project_conv", f"{prefix}_bn2", block.outputs, wide, 1)
    conv("_conv_head", "_bn1", 1280, block.outputs, 1)
    found["_fc.weight"] = random.normal(0, 0.03, (10, 1280)).astype(np.float32)
    found["_fc.bias"] = np.zeros(10, np.float32)
    return found


@pytest.mark.parametrize(
    ("name", "blocks", "side"),
    [("efficientnet-lite0", 16, 224), ("efficientnet-lite2", 21, 260)],
)
def test_the_converted_classifier_runs(name: str, blocks: int, side: int) -> None:
    weights = random_weights(name)
    assert f"_blocks.{blocks - 1}._bn2.weight" in weights
    assert f"_blocks.{blocks}._bn2.weight" not in weights

    model = effnet.build(weights, name)

    session = onnxruntime.InferenceSession(model.SerializeToString())
    x = np.random.default_rng(0).uniform(-1, 1, (2, 3, side, side)).astype(np.float32)
    probs, embedding = session.run(None, {"image": x})
    np.testing.assert_allclose(probs.sum(1), 1, rtol=1e-5)
    assert embedding.shape == (2, 1280)
    assert embedding.min() >= 0
    assert embedding.max() <= 6


@pytest.mark.parametrize("change", ["missing", "unused"])
def test_weights_of_another_architecture_are_refused(change: str) -> None:
    weights = random_weights("efficientnet-lite0")
    if change == "missing":
        del weights["_fc.bias"]
    else:
        weights["_blocks.0._se_reduce.weight"] = np.zeros(1, np.float32)

    with pytest.raises(ModelFailure, match=r"_fc\.bias|_se_reduce"):
        effnet.build(weights, "efficientnet-lite0")


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pads"),
    [
        pytest.param(224, 3, 2, [0, 0, 1, 1], id="even size, stride 2: more at the end"),
        pytest.param(65, 3, 2, [1, 1, 1, 1], id="odd size, stride 2: equal"),
        pytest.param(112, 5, 2, [1, 1, 2, 2], id="kernel 5"),
        pytest.param(56, 3, 1, [1, 1, 1, 1], id="stride 1"),
        pytest.param(7, 1, 1, [0, 0, 0, 0], id="pointwise"),
    ],
)
def test_a_folded_convolution_answers_as_the_pair_does(
    size: int, kernel: int, stride: int, pads: list[int]
) -> None:
    """Reference: ONNX's own BatchNormalization and SAME_UPPER, which is TensorFlow's SAME."""
    random = np.random.default_rng(3)
    weights = {
        "c.weight": random.normal(size=(4, 3, kernel, kernel)).astype(np.float32),
        "n.weight": random.normal(size=4).astype(np.float32),
        "n.bias": random.normal(size=4).astype(np.float32),
        "n.running_mean": random.normal(size=4).astype(np.float32),
        "n.running_var": random.uniform(0.1, 2, 4).astype(np.float32),
    }
    builder = effnet.Builder(weights | {"n.num_batches_tracked": np.array(0)}, size)
    y = builder.conv("x", "c", "n", stride=stride)
    folded = graph(builder.nodes, builder.initializers, size, y)
    pair = graph(
        [
            helper.make_node(
                "Conv", ["x", "c.weight"], ["z"], auto_pad="SAME_UPPER", strides=[stride] * 2
            ),
            helper.make_node(
                "BatchNormalization",
                ["z", "n.weight", "n.bias", "n.running_mean", "n.running_var"],
                ["y"],
                epsilon=1e-3,
            ),
        ],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
        size,
        "y",
    )
    x = random.normal(size=(1, 3, size, size)).astype(np.float32)

    assert next(a.ints for a in builder.nodes[0].attribute if a.name == "pads") == pads
    np.testing.assert_allclose(run(folded, x), run(pair, x), atol=2e-4, rtol=1e-4)


def graph(
    nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto], size: int, output: str
) -> onnx.ModelProto:
    info = helper.make_tensor_value_info
    made = helper.make_graph(
        nodes,
        "g",
        [info("x", TensorProto.FLOAT, [1, 3, size, size])],
        [info(output, TensorProto.FLOAT, None)],
        weights,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
