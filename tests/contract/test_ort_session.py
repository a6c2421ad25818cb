"""The real weights on the real runtime: what model code may rely on."""

import time

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from models.manifest import Task
from models.registry import Registry
from models.weights.verify import State, check
from packshot.meter import metered

pytestmark = pytest.mark.models

#: Name; shape of a small input; shapes of the answers.
DEFAULTS = [
    ("ppocrv6-det-small", (1, 3, 64, 96), [(1, 1, 64, 96)]),
    ("ppocrv6-rec-small", (2, 3, 48, 160), [(2, 20, 18710)]),
    ("ppocr-orientation", (3, 3, 48, 192), [(3, 2)]),
    ("efficientnet-lite0", (2, 3, 224, 224), [(2, 1000), (2, 1280)]),
    ("u2netp", (1, 3, 320, 320), [(1, 1, 320, 320)]),
]

#: What the original checkpoint answers to seeded noise; the conversion that made these numbers
#: differs from torch 2.13 by at most 4.5e-7 in any probability.
GOLDEN = {21: 0.133455, 701: 0.060728, 92: 0.054975, 128: 0.048773, 127: 0.039488}


def noise(seed: int, shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize(("name", "shape", "answers"), DEFAULTS, ids=[row[0] for row in DEFAULTS])
def test_a_default_model_loads_and_answers(
    weights: Registry, name: str, shape: tuple[int, ...], answers: list[tuple[int, ...]]
) -> None:
    session = weights.session(name, threads=1, device="cpu")

    (wanted,) = session.inputs
    spec = weights.entry(name).input.shape
    assert wanted.dtype == "float32"
    assert wanted.shape[0] == -1
    assert all(free in {-1, size} for free, size in zip(wanted.shape, shape, strict=True))
    assert all(free in {-1, size} for free, size in zip(spec, shape, strict=True))
    found = session.run(
        {wanted.name: noise(0, shape)}, [o.name for o in session.outputs][: len(answers)]
    )
    assert [array.shape for array in found] == answers
    assert all(np.isfinite(array).all() for array in found)
    assert session.providers == ("CPUExecutionProvider",)


def test_a_run_is_on_its_callers_account(weights: Registry) -> None:
    session = weights.session("ppocr-orientation", threads=1, device="cpu")
    feed = {session.inputs[0].name: noise(0, (1, 3, 48, 192))}
    began = time.perf_counter()
    with metered() as meter:
        session.run(feed)
    assert 0 < meter.cost().device_seconds <= time.perf_counter() - began


def test_the_default_models_are_in_order(weights: Registry) -> None:
    names = [entry.name for entry in weights.manifest.entries if entry.default]

    assert {row[0] for row in DEFAULTS} == set(names)
    assert {name: check(weights, name) for name in names} == dict.fromkeys(names, State.OK)


def test_no_default_model_has_denormal_weights(weights: Registry) -> None:
    for name, *_ in DEFAULTS:
        for tensor in onnx.load(weights.path(name)).graph.initializer:
            values = np.abs(numpy_helper.to_array(tensor))
            if values.dtype == np.float32:
                assert not ((values > 0) & (values < np.finfo(np.float32).tiny)).any(), name


def test_the_converted_classifier_answers_as_the_checkpoint_does(weights: Registry) -> None:
    session = weights.session("efficientnet-lite0", device="cpu")

    probs, embedding = session.run({"image": noise(20200620, (1, 3, 224, 224))})

    best = np.argsort(probs[0])[::-1][:5]
    assert best.tolist() == list(GOLDEN)
    np.testing.assert_allclose(probs[0, best], list(GOLDEN.values()), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(embedding), 16.8642, atol=1e-2)


@pytest.mark.parametrize(("name", "shape", "answers"), DEFAULTS, ids=[row[0] for row in DEFAULTS])
def test_a_batch_answers_as_single_items_do(
    weights: Registry, name: str, shape: tuple[int, ...], answers: list[tuple[int, ...]]
) -> None:
    session = weights.session(name, device="cpu")
    (wanted,), first = session.inputs, session.outputs[0].name
    batch = noise(1, (2, *shape[1:]))

    (together,) = session.run({wanted.name: batch}, [first])
    alone = [session.run({wanted.name: batch[i : i + 1]}, [first])[0] for i in range(2)]

    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-4)


def test_the_charset_fits_the_classes_of_the_recogniser(weights: Registry) -> None:
    (name,) = (
        entry.name
        for entry in weights.manifest.entries
        if entry.default and entry.task is Task.TEXT_RECOGNITION
    )
    charset = weights.charset(name)

    # Class 0 is the blank, the last one the space.
    assert len(charset) + 2 == weights.session(name).outputs[0].shape[-1]
    assert len(set(charset)) == len(charset)
    assert {"A", "é", "中", "の", "繁"} <= set(charset)
