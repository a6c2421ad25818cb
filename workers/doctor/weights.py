"""Models: there, undamaged, with room on the disk, and on the device that was asked for."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from models import openvino
from models.bundle import WEIGHTS
from models.registry import Registry
from models.weights.verify import State, check
from packshot.settings import Settings
from workers.doctor.finding import Finding, Subject, error, ok, warning

#: Bytes that should be free where the weights lie: the default ones take some 40 MB twice while
#: they are prepared.
ROOM = 1024**3
_CUDA = "CUDAExecutionProvider"


def check_weights(subject: Subject) -> Iterator[Finding]:
    """Look at the models of the role's steps."""
    steps = [step for step in subject.role.steps if step in WEIGHTS]
    if not steps:
        yield ok(f"The role {subject.role.name} needs no models.")
        return
    registry = Registry(subject.settings.models)
    good: list[str] = []
    for step in steps:
        states = {name: check(registry, name) for name in WEIGHTS[step]}
        bad = [f"{name} is {state}" for name, state in states.items() if state is not State.OK]
        good += [name for name, state in states.items() if state is State.OK]
        if not bad:
            yield ok(f"{step}: {', '.join(states)} verified.")
        elif subject.embedded:
            yield warning(f"{step}: {', '.join(bad)}.", "`packshot run` brings what is missing.")
        else:
            names = " ".join(name for name, state in states.items() if state is not State.OK)
            yield error(f"{step}: {', '.join(bad)}.", f"Run `packshot models pull {names}`.")
    yield from _disk(registry.cache)
    yield _device(registry, good, subject.settings)
    if subject.settings.fine_matting and find_spec("pymatting") is None:
        yield error(
            "Fine matting is set, and its library is not installed.",
            "Run `pip install 'packshot[fine]'`, or unset PACKSHOT_FINE_MATTING.",
        )


def _disk(cache: Path) -> Iterator[Finding]:
    folder = next(one for one in (cache.absolute(), *cache.absolute().parents) if one.exists())
    free = shutil.disk_usage(folder).free
    if free < ROOM:
        yield warning(
            f"{free / 1024**2:.0f} MiB are free where the weights lie ({cache}).",
            "Make room, or name another folder in PACKSHOT_MODELS.",
        )


def _device(registry: Registry, good: list[str], settings: Settings) -> Finding:
    """Which device the models would run on. The smallest one is opened where that is to be seen."""
    if settings.device in {"auto", "openvino"} and good:
        chosen = registry.session(good[0], device=settings.device).providers
        if chosen[0].startswith("OpenVINO"):
            return ok(f"OpenVINO runs the models on the CPU ({chosen[0]}).")
    try:
        import onnxruntime
    except ImportError:
        return error(
            "No ONNX Runtime is installed.",
            "Run `pip install 'packshot[worker,cpu]'`, or, for NVIDIA GPUs, "
            "`pip install 'packshot[worker,gpu]'` (never both).",
        )
    version = onnxruntime.__version__
    if settings.device == "cpu":
        return ok(f"ONNX Runtime {version} runs on the CPU, as PACKSHOT_DEVICE says.")
    if _CUDA not in onnxruntime.get_available_providers():
        sentence = f"ONNX Runtime {version} runs on the CPU: it is the build without CUDA."
        if settings.device == "auto":
            return ok(sentence + _faster())
        return error(
            sentence,
            "Run `pip uninstall onnxruntime`, then `pip install 'packshot[worker,gpu]'`, or set "
            "PACKSHOT_DEVICE to cpu.",
        )
    if not good:
        return warning(
            f"ONNX Runtime {version} knows CUDA; without a model it cannot be tried.",
            "Bring the weights first.",
        )
    smallest = min(good, key=lambda name: registry.path(name).stat().st_size)
    # Raises `ConfigurationError` with what to do where `cuda` was asked for and does not work.
    session = registry.session(smallest, device=settings.device)
    if _CUDA in getattr(session, "providers", ()):
        return ok(f"ONNX Runtime {version} runs on the GPU.")
    return warning(
        f"ONNX Runtime {version} knows CUDA, but falls back to the CPU here.",
        "Check the NVIDIA driver (nvidia-smi) and that the container was given a GPU.",
    )


def _faster() -> str:
    """What would make the models faster here, where something would."""
    if openvino.installed() or not openvino.has_bfloat16():
        return ""
    return (
        " This processor multiplies bfloat16 numbers: with `pip install 'packshot[openvino]'` the "
        "models take about half the time."
    )
