"""Sessions on ONNX Runtime."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from models.cancel import current
from models.failures import translated
from models.session import CUDA, Array, TensorSpec
from packshot.errors import ConfigurationError, ModelFailure, OutOfMemory
from packshot.meter import on_device
from packshot.results import ModelInfo

_log = logging.getLogger(__name__)

#: What a caller may ask for here; `models.runtimes` knows more.
DEVICES = ("auto", "cpu", "cuda")

_CPU = "CPUExecutionProvider"
#: ONNX Runtime's own levels: 3 is "error", 4 "fatal". A failed run is an exception here anyway,
#: and its log line would only say the same to stderr, past the JSON log.
_FATAL = 4
_CUDA_OPTIONS = {
    # Text lines and pictures come in many shapes: growing in powers of two would hold twice the
    # memory, and timing every convolution algorithm again for each new shape takes seconds.
    "arena_extend_strategy": "kSameAsRequested",
    "cudnn_conv_algo_search": "HEURISTIC",
}


class OrtSession:
    """One loaded ONNX file. Implements `models.session.Session`; thread-safe.

    Args:
        path: the ONNX file.
        info: its provenance.
        threads: CPU threads of one run, the caller's own included.
        device: `cpu`, `cuda` (fails where there is none) or `auto` (CUDA where it works).

    Raises:
        ConfigurationError: there is no ONNX Runtime, or not the device that was asked for.
        ModelFailure: the file cannot be loaded.
        OutOfMemory: the device has no room for it.
    """

    def __init__(
        self, path: Path, info: ModelInfo, *, threads: int = 1, device: str = "auto"
    ) -> None:
        if threads < 1:
            raise ConfigurationError(f"A session needs at least one thread, not {threads}.")
        if device not in DEVICES:
            raise ConfigurationError(f"The device is one of {', '.join(DEVICES)}, not {device!r}.")
        runtime = _runtime()
        self._runtime = runtime
        self._session = _open(runtime, path, info, _options(runtime, threads), device)
        self._providers = tuple(self._session.get_providers())
        where = "cuda" if CUDA in self._providers else "cpu"
        self._info = info.model_copy(update={"runtime": f"onnxruntime-{where}"})
        self._inputs = tuple(_spec(value) for value in self._session.get_inputs())
        self._outputs = tuple(_spec(value) for value in self._session.get_outputs())

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
        """The execution providers that were really chosen, best first."""
        return self._providers

    def run(self, feed: Mapping[str, Array], wanted: Sequence[str] | None = None) -> list[Array]:
        """Run once; all outputs, or those named in `wanted`, in that order.

        Raises:
            OutOfMemory: the device has no room for this feed.
            ModelFailure: the runtime refused the feed or failed.
        """
        names = None if wanted is None else list(wanted)
        options = self._runtime.RunOptions()
        cancellation = current()
        watching = cancellation.watching(partial(_terminate, options)) if cancellation else None
        try:
            with on_device(), watching or nullcontext():
                answer: list[Array] = self._session.run(names, dict(feed), options)
        except Exception as error:
            raise translated(self._info.name, "run", error) from error
        return answer


def _terminate(options: Any) -> None:
    """End a run between two nodes of its graph; it raises in the thread that runs it."""
    options.terminate = True


def has_cuda() -> bool:
    """Whether the installed ONNX Runtime, if any, is the one for CUDA; not whether that works."""
    return find_spec("onnxruntime") is not None and CUDA in _runtime().get_available_providers()


def _runtime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError as error:
        raise ConfigurationError(
            "No ONNX Runtime is installed; run: pip install 'packshot[worker,cpu]' "
            "or, for NVIDIA GPUs, pip install 'packshot[worker,gpu]' (never both)."
        ) from error
    runtime: ModuleType = onnxruntime
    runtime.disable_telemetry_events()
    runtime.set_default_logger_severity(_FATAL)
    return runtime


def _options(runtime: ModuleType, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    if threads == 1:
        # A spinning thread burns a core that the neighbouring process could use.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def _open(
    runtime: ModuleType,
    path: Path,
    info: ModelInfo,
    options: Any,
    device: str,
) -> Any:
    """Open on CUDA where that is wanted and works, else on the CPU; never change silently."""
    has_cuda = CUDA in runtime.get_available_providers()
    if device == "cuda" and not has_cuda:
        raise ConfigurationError(
            "The installed ONNX Runtime has no CUDA; run: pip uninstall onnxruntime, "
            "then pip install 'packshot[worker,gpu]', or choose the device 'cpu'."
        )
    if device == "cpu" or not has_cuda:
        return _load(runtime, path, info, options, [_CPU])
    # Finds CUDA and cuDNN in NVIDIA's wheels, so that no system-wide CUDA is needed.
    runtime.preload_dlls()
    reason: ModelFailure | None = None
    try:
        session = _load(runtime, path, info, options, [(CUDA, _CUDA_OPTIONS), _CPU])
    except OutOfMemory:
        raise
    except ModelFailure as error:
        reason = error
    else:
        # Where its libraries are missing, the runtime only warns and leaves CUDA out.
        if CUDA in session.get_providers():
            return session
    if device == "cuda":
        raise ConfigurationError(
            "ONNX Runtime cannot use CUDA here: check the NVIDIA driver (nvidia-smi) and that the "
            f"CUDA and cuDNN libraries fit the installed onnxruntime-gpu. {reason or ''}".rstrip()
        ) from reason
    _log.warning("CUDA does not work here, %s runs on the CPU: %s", info.name, reason)
    return _load(runtime, path, info, options, [_CPU])


def _load(
    runtime: ModuleType,
    path: Path,
    info: ModelInfo,
    options: Any,
    providers: list[Any],
) -> Any:
    try:
        # Its own fallback prints to stdout and hides the reason.
        return runtime.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
    except Exception as error:
        raise translated(info.name, "be loaded", error) from error


def _spec(value: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) and size > 0 else -1 for size in value.shape)
    return TensorSpec(value.name, shape, _dtype(value.type))


def _dtype(text: str) -> str:
    """`tensor(float)` in numpy's words: `float32`."""
    inner = text.removeprefix("tensor(").removesuffix(")")
    return {"float": "float32", "double": "float64"}.get(inner, inner)
