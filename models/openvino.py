"""Sessions on OpenVINO, for processors that multiply bfloat16 numbers (AMX, AVX512-BF16).

In bfloat16 the nets run 1.8 to 4 times as fast as in single precision on ONNX Runtime with
AMX (Intel from Sapphire Rapids on), 1.7 to 1.9 times with AVX512-BF16 alone (AMD from Zen 4 on).
Only nets whose loss was measured run in bfloat16: the manifest says which (`half`).
"""

import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from models.cancel import current
from models.failures import translated
from models.session import Array, TensorSpec
from packshot.errors import ConfigurationError, ModelFailure
from packshot.meter import on_device
from packshot.results import ModelInfo

#: Where Linux says what the processor can do.
_CPUINFO = Path("/proc/cpuinfo")
#: What Linux calls the instructions that multiply bfloat16 numbers: matrices, vectors.
_BFLOAT16 = frozenset({"amx_bf16", "avx512_bf16"})


def installed() -> bool:
    """Whether the extra is there; imports nothing."""
    return find_spec("openvino") is not None


@cache
def has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 numbers in hardware."""
    try:
        text = _CPUINFO.read_text("ascii", "replace")
    except OSError:
        return False
    flags = (line.split() for line in text.splitlines() if line.startswith("flags"))
    return any(not _BFLOAT16.isdisjoint(words) for words in flags)


class OpenVinoSession:
    """One loaded ONNX file. Implements `models.session.Session`; thread-safe.

    Args:
        path: the ONNX file.
        info: its provenance.
        threads: CPU threads of one run.
        callers: runs at once; OpenVINO holds a worker for each, and further ones wait.
        half: run in bfloat16; single precision otherwise.

    Raises:
        ConfigurationError: OpenVINO is not installed.
        ModelFailure: the file cannot be loaded.
        OutOfMemory: there is no room for it.
    """

    def __init__(
        self,
        path: Path,
        info: ModelInfo,
        *,
        threads: int = 1,
        callers: int = 1,
        half: bool = False,
    ) -> None:
        if threads < 1 or callers < 1:
            raise ConfigurationError(
                f"A session needs at least one thread and one caller, not {threads} and {callers}."
            )
        precision = "bf16" if half else "f32"
        self._info = info.model_copy(update={"runtime": f"openvino-{precision}"})
        self._model = _compile(path, info, threads, callers, precision)
        self._inputs = tuple(_spec(port) for port in self._model.inputs)
        self._outputs = tuple(_spec(port) for port in self._model.outputs)
        self._providers = (f"OpenVINO:CPU:{precision}",)
        self._idle: list[Any] = []
        self._lock = threading.Lock()

    @property
    def info(self) -> ModelInfo:
        """Which weights these are."""
        return self._info

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What `run` wants."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What `run` answers, in order."""
        return self._outputs

    @property
    def providers(self) -> tuple[str, ...]:
        """The device and the precision that were chosen."""
        return self._providers

    def run(self, feed: Mapping[str, Array], wanted: Sequence[str] | None = None) -> list[Array]:
        """Run once; all outputs, or those named in `wanted`, in that order.

        Raises:
            OutOfMemory: there is no room for this feed.
            ModelFailure: the runtime refused the feed, failed or was cancelled.
        """
        self._check(feed)
        places = self._places(wanted)
        with self._lock:
            request = self._idle.pop() if self._idle else self._model.create_infer_request()
        cancellation, switch = current(), _Switch(request)
        try:
            stop = cancellation.watching(switch.cancel) if cancellation else nullcontext()
            with on_device(), stop:
                request.start_async(dict(feed), share_inputs=True)
                request.wait()
        except Exception as error:
            # A request that failed is not used again: what state it is in nobody says.
            raise translated(self._info.name, "run", error) from error
        finally:
            switch.disarm()
        # The request's own buffers are written again by its next run.
        answers = [np.array(request.get_output_tensor(place).data) for place in places]
        with self._lock:
            self._idle.append(request)
        return answers

    def _check(self, feed: Mapping[str, Array]) -> None:
        """OpenVINO would take much that is wrong: a cast, a missing input, another shape."""
        wants = {spec.name: spec for spec in self._inputs}
        if wants.keys() != feed.keys():
            raise ModelFailure(
                f"{self._info.name} cannot run: it wants {sorted(wants)}, not {sorted(feed)}."
            )
        for name, value in feed.items():
            spec = wants[name]
            fits = len(spec.shape) == value.ndim and all(
                want in {-1, size} for want, size in zip(spec.shape, value.shape, strict=True)
            )
            if value.dtype != spec.dtype or not fits:
                raise ModelFailure(
                    f"{self._info.name} cannot run: {name} is {value.dtype} {value.shape} "
                    f"instead of {spec.dtype} {spec.shape}."
                )

    def _places(self, wanted: Sequence[str] | None) -> list[int]:
        names = [spec.name for spec in self._outputs]
        if wanted is None:
            return list(range(len(names)))
        if unknown := [name for name in wanted if name not in names]:
            raise ModelFailure(f"{self._info.name} cannot run: it answers no {unknown[0]!r}.")
        return [names.index(name) for name in wanted]


class _Switch:
    """Cancels one run, and never the next one of the same request."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._armed = True
        self._lock = threading.Lock()

    def cancel(self) -> None:
        with self._lock:
            if self._armed:
                self._request.cancel()

    def disarm(self) -> None:
        with self._lock:
            self._armed = False


def _runtime() -> ModuleType:
    try:
        import openvino
    except ImportError as error:
        raise ConfigurationError(
            "OpenVINO is not installed; run: pip install 'packshot[worker,openvino]', "
            "or choose another device."
        ) from error
    runtime: ModuleType = openvino
    return runtime


@cache
def _core() -> Any:
    return _runtime().Core()


def _compile(path: Path, info: ModelInfo, threads: int, callers: int, precision: str) -> Any:
    options = {
        "INFERENCE_PRECISION_HINT": precision,
        "NUM_STREAMS": callers,
        "INFERENCE_NUM_THREADS": callers * threads,
        # Every process would pin its first thread to the first core.
        "ENABLE_CPU_PINNING": False,
    }
    core = _core()
    try:
        return core.compile_model(str(path), "CPU", options)
    except Exception as error:
        raise translated(info.name, "be loaded", error) from error


def _spec(port: Any) -> TensorSpec:
    shape = tuple(-1 if size.is_dynamic else size.get_length() for size in port.partial_shape)
    return TensorSpec(port.any_name, shape, str(np.dtype(port.element_type.to_dtype())))
