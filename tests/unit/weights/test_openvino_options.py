"""A session on OpenVINO behaves as one on ONNX Runtime does, and is chosen only where it helps."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import openvino, ort
from models.cancel import Cancellation
from models.openvino import OpenVinoSession
from models.runtimes import open_session
from models.session import Session, TensorSpec
from packshot.errors import ConfigurationError, ModelFailure
from packshot.results import ModelInfo
from tests.support.tiny_weights import tiny_bytes

INFO = ModelInfo(name="tiny", version="1", sha256="0" * 64, licence="MIT")
X = np.ones((1, 4), np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    pytest.importorskip("openvino")
    path = tmp_path / "tiny.onnx"
    path.write_bytes(tiny_bytes())
    return path


def test_a_session_says_what_it_wants_and_where_it_runs(model: Path) -> None:
    session: Session = OpenVinoSession(model, INFO)

    assert session.inputs == (TensorSpec("x", (1, 4), "float32"),)
    assert session.outputs == (TensorSpec("y", (1, 4), "float32"),)
    assert session.providers == ("OpenVINO:CPU:f32",)
    assert session.info == INFO.model_copy(update={"runtime": "openvino-f32"})


def test_wanted_outputs_come_in_the_order_asked_for(model: Path) -> None:
    (y,) = OpenVinoSession(model, INFO).run({"x": X}, ("y",))

    np.testing.assert_allclose(y, [[2, 0, 1, 0.5]], atol=1e-30)


@pytest.mark.parametrize(
    ("feed", "wanted"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"x": X, "z": X}, None, id="an unknown input"),
        pytest.param({"x": X[:, :3]}, None, id="a wrong shape"),
        pytest.param({"x": X[0]}, None, id="a dimension less"),
        pytest.param({"x": X.astype(np.float64)}, None, id="a wrong dtype"),
        pytest.param({"x": X}, ("z",), id="an unknown output"),
    ],
)
def test_a_bad_feed_is_a_model_failure(
    model: Path, feed: dict[str, Any], wanted: tuple[str, ...] | None
) -> None:
    with pytest.raises(ModelFailure, match=r"^tiny cannot run: "):
        OpenVinoSession(model, INFO).run(feed, wanted)


def test_a_file_that_is_no_model_is_a_sentence(model: Path) -> None:
    model.write_bytes(b"<html>")

    with pytest.raises(ModelFailure, match=r"^tiny cannot be loaded: "):
        OpenVinoSession(model, INFO)


@pytest.mark.parametrize(("threads", "callers"), [(0, 1), (1, 0)])
def test_a_wrong_option_is_a_sentence(model: Path, threads: int, callers: int) -> None:
    with pytest.raises(ConfigurationError, match="at least one"):
        OpenVinoSession(model, INFO, threads=threads, callers=callers)


def test_a_missing_runtime_says_what_to_install(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    openvino._core.cache_clear()

    with pytest.raises(ConfigurationError, match=r"packshot\[worker,openvino\]"):
        OpenVinoSession(model, INFO)


def test_many_threads_share_one_session(model: Path) -> None:
    session = OpenVinoSession(model, INFO, callers=2)

    def work(value: int) -> float:
        return float(session.run({"x": np.full((1, 4), value, np.float32)})[0][0, 0])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(200))) == [2.0 * value for value in range(200)]


def test_an_answer_is_the_caller_s_own(model: Path) -> None:
    session = OpenVinoSession(model, INFO)

    (first,) = session.run({"x": X})
    session.run({"x": 3 * X})

    assert float(first[0, 0]) == 2.0


def test_what_is_cancelled_before_it_starts_does_not_hurt_the_next_run(model: Path) -> None:
    session, cancellation = OpenVinoSession(model, INFO), Cancellation()

    with cancellation.entered():
        session.run({"x": X})
        cancellation.cancel()

    assert float(session.run({"x": X})[0][0, 0]) == 2.0


CHOICES = {
    "bfloat16, measured": ("auto", True, True, True, False, "OpenVINO"),
    "bfloat16, not measured": ("auto", False, True, True, False, "CPUExecutionProvider"),
    "no bfloat16": ("auto", True, False, True, False, "CPUExecutionProvider"),
    "not installed": ("auto", True, True, False, False, "CPUExecutionProvider"),
    "a GPU build": ("auto", True, True, True, True, "CPUExecutionProvider"),
    "told not to": ("cpu", True, True, True, False, "CPUExecutionProvider"),
    "told to": ("openvino", False, False, True, True, "OpenVINO"),
}


@pytest.mark.parametrize(
    ("device", "half", "bfloat16", "there", "cuda", "wanted"), CHOICES.values(), ids=CHOICES
)
def test_what_is_chosen(
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    half: bool,
    bfloat16: bool,
    there: bool,
    cuda: bool,
    wanted: str,
) -> None:
    monkeypatch.setattr(openvino, "has_bfloat16", lambda: bfloat16)
    monkeypatch.setattr(openvino, "installed", lambda: there)
    monkeypatch.setattr(ort, "has_cuda", lambda: cuda)

    assert open_session(model, INFO, device=device, half=half).providers[0].startswith(wanted)


def test_an_unknown_device_is_a_sentence(model: Path) -> None:
    with pytest.raises(ConfigurationError, match="auto, cpu, cuda, openvino, not 'tpu'"):
        open_session(model, INFO, device="tpu")


@pytest.mark.parametrize(
    ("text", "bfloat16"),
    [
        ("flags\t\t: fpu avx512f amx_bf16 amx_tile\n", True),
        ("flags\t\t: fpu avx512f avx512_bf16\n", True),
        ("flags\t\t: fpu avx512f avx512_bf16_none amx_int8\n", False),
        ("model name\t: avx512_bf16\n", False),
        ("", False),
    ],
)
def test_the_processor_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, bfloat16: bool
) -> None:
    monkeypatch.setattr(openvino, "_CPUINFO", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text(text)
    openvino.has_bfloat16.cache_clear()
    try:
        assert openvino.has_bfloat16() is bfloat16
    finally:
        openvino.has_bfloat16.cache_clear()


def test_no_word_about_the_processor_is_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "_CPUINFO", tmp_path / "none")
    openvino.has_bfloat16.cache_clear()
    try:
        assert not openvino.has_bfloat16()
    finally:
        openvino.has_bfloat16.cache_clear()
