"""A session on ONNX Runtime translates every failure and never changes the device in silence."""

import logging
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import ort
from models.ort import OrtSession
from models.session import Session, TensorSpec
from packshot.errors import ConfigurationError, ModelFailure, OutOfMemory
from packshot.results import ModelInfo
from tests.support.tiny_weights import tiny_bytes

INFO = ModelInfo(name="tiny", version="1", sha256="0" * 64, licence="MIT")
X = np.ones((1, 4), np.float32)
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(tiny_bytes())
    return path


def test_a_session_says_what_it_wants_and_where_it_runs(model: Path) -> None:
    session: Session = OrtSession(model, INFO, device="cpu")

    assert session.inputs == (TensorSpec("x", (1, 4), "float32"),)
    assert session.outputs == (TensorSpec("y", (1, 4), "float32"),)
    assert session.providers == (CPU,)
    assert session.info == INFO.model_copy(update={"runtime": "onnxruntime-cpu"})


def test_wanted_outputs_come_in_the_order_asked_for(model: Path) -> None:
    (y,) = OrtSession(model, INFO).run({"x": X}, ("y",))

    np.testing.assert_allclose(y, [[2, 0, 1, 0.5]], atol=1e-30)


@pytest.mark.parametrize(
    ("feed", "wanted"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"x": X, "z": X}, None, id="an unknown input"),
        pytest.param({"x": X[:, :3]}, None, id="a wrong shape"),
        pytest.param({"x": X.astype(np.float64)}, None, id="a wrong dtype"),
        pytest.param({"x": X}, ("z",), id="an unknown output"),
    ],
)
def test_a_bad_feed_is_a_model_failure(
    model: Path, feed: dict[str, Any], wanted: tuple[str, ...] | None
) -> None:
    with pytest.raises(ModelFailure, match=r"^tiny cannot run: ") as caught:
        OrtSession(model, INFO).run(feed, wanted)

    assert not isinstance(caught.value, OutOfMemory)
    assert caught.value.__cause__ is not None


def test_nothing_is_printed_past_the_log(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelFailure):
        OrtSession(model, INFO).run({"x": X[:, :3]})

    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_no_model_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"<html>")

    with pytest.raises(ModelFailure, match=r"^tiny cannot be loaded: "):
        OrtSession(tmp_path / "x.onnx", INFO)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param({"threads": 0}, "at least one thread", id="no thread"),
        pytest.param({"device": "tpu"}, "auto, cpu, cuda", id="an unknown device"),
        pytest.param({"device": "cuda"}, "has no CUDA", id="a build without CUDA"),
    ],
)
def test_a_wrong_option_is_a_sentence(model: Path, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        OrtSession(model, INFO, **options)


def test_a_missing_runtime_says_what_to_install(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(ConfigurationError, match=r"packshot\[worker,cpu\].*packshot\[worker,gpu\]"):
        OrtSession(model, INFO)


def test_many_threads_share_one_session(model: Path) -> None:
    session = OrtSession(model, INFO, threads=2)

    def work(value: int) -> float:
        return float(session.run({"x": np.full((1, 4), value, np.float32)})[0][0, 0])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(200))) == [2.0 * value for value in range(200)]


class Runtime(types.ModuleType):
    """ONNX Runtime as it behaves on machines with a GPU: not to be had in a test."""

    def __init__(
        self,
        *,
        works: bool = True,
        refuses: Exception | None = None,
        error: Exception | None = None,
    ) -> None:
        super().__init__("onnxruntime")
        self.works, self.refuses, self.error = works, refuses, error
        self.asked: list[Any] = []
        self.preloaded = False

    def get_available_providers(self) -> list[str]:
        return [CUDA, CPU]

    def preload_dlls(self) -> None:
        self.preloaded = True

    class RunOptions:
        terminate = False

    class SessionOptions:
        def add_session_config_entry(self, key: str, value: str) -> None:
            pass

    def InferenceSession(self, *_: Any, providers: list[Any], **__: Any) -> Any:  # noqa: N802
        self.asked.append([p if isinstance(p, str) else p[0] for p in providers])
        if self.refuses and CUDA in self.asked[-1]:
            raise self.refuses
        chosen = self.asked[-1] if self.works else [CPU]
        return Opened(chosen, self.error)


class Opened:
    def __init__(self, providers: list[str], error: Exception | None) -> None:
        self.providers, self.error = providers, error

    def get_providers(self) -> list[str]:
        return self.providers

    def get_inputs(self) -> list[Any]:
        return []

    get_outputs = get_inputs

    def run(self, *_: Any) -> list[Any]:
        if self.error:
            raise self.error
        return []


def fake(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Runtime:
    runtime = Runtime(**options)
    monkeypatch.setattr(ort, "_runtime", lambda: runtime)
    return runtime


@pytest.mark.parametrize(
    ("device", "providers"), [("auto", (CUDA, CPU)), ("cuda", (CUDA, CPU)), ("cpu", (CPU,))]
)
def test_the_device_decides_the_providers(
    model: Path, monkeypatch: pytest.MonkeyPatch, device: str, providers: tuple[str, ...]
) -> None:
    runtime = fake(monkeypatch)

    assert OrtSession(model, INFO, device=device).providers == providers
    assert runtime.preloaded is (device != "cpu")


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"works": False}, id="left out in silence"),
        pytest.param({"refuses": RuntimeError("CUDA failure 35: driver too old")}, id="raised"),
    ],
)
def test_a_broken_cuda_is_reported(
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: dict[str, Any],
) -> None:
    fake(monkeypatch, **broken)

    with caplog.at_level(logging.WARNING):
        assert OrtSession(model, INFO, device="auto").providers == (CPU,)
    assert "tiny runs on the CPU" in caplog.text

    with pytest.raises(ConfigurationError, match="nvidia-smi"):
        OrtSession(model, INFO, device="cuda")


def test_a_full_gpu_is_no_reason_for_the_cpu(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, refuses=RuntimeError("CUDA failure 2: out of memory"))

    with pytest.raises(OutOfMemory):
        OrtSession(model, INFO, device="auto")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError(
            "BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer"
        ),
        RuntimeError("CUDA failure 2: out of memory ; GPU=0"),
        RuntimeError("Available memory of 100 is smaller than requested bytes of 200"),
        RuntimeError("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED"),
        RuntimeError("CUDNN failure 4: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("std::bad_alloc"),
    ],
    ids=lambda error: str(error)[:20] or "MemoryError",
)
def test_a_full_device_is_told_from_other_failures(
    model: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fake(monkeypatch, error=error)

    with pytest.raises(OutOfMemory, match="no room for tiny"):
        OrtSession(model, INFO).run({})
