"""Which runtime a model is opened with.

`auto` takes CUDA where it works, else OpenVINO in bfloat16 where the processor multiplies such
numbers and the net's loss was measured, else ONNX Runtime on the CPU. What was chosen is in the
session's `providers`, and in the provenance of every result.
"""

from pathlib import Path

from models import openvino, ort
from models.session import Session
from packshot.errors import ConfigurationError
from packshot.results import ModelInfo

#: What a caller may ask for.
DEVICES = ("auto", "cpu", "cuda", "openvino")


def open_session(
    path: Path,
    info: ModelInfo,
    *,
    threads: int = 1,
    device: str = "auto",
    callers: int = 1,
    half: bool = False,
) -> Session:
    """Open an ONNX file.

    Args:
        path: the file.
        info: its provenance.
        threads: CPU threads of one run.
        device: `cpu` (ONNX Runtime), `cuda`, `openvino` (both fail where there is none), `auto`.
        callers: runs at once.
        half: it may run in bfloat16.

    Raises:
        ConfigurationError: the runtime or device that was asked for is not there.
        ModelFailure: the file cannot be loaded.
        OutOfMemory: the device has no room for it.
    """
    if device not in DEVICES:
        raise ConfigurationError(f"The device is one of {', '.join(DEVICES)}, not {device!r}.")
    half = half and openvino.has_bfloat16()
    if device == "openvino" or (device == "auto" and half and _openvino_is_best()):
        return openvino.OpenVinoSession(path, info, threads=threads, callers=callers, half=half)
    return ort.OrtSession(path, info, threads=threads, device=device)


def _openvino_is_best() -> bool:
    return openvino.installed() and not ort.has_cuda()
