"""The runtime behind a Protocol, so that model code knows no ONNX Runtime."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from packshot.results import ModelInfo

#: A tensor of any dtype; each model's docstring gives its shapes and ranges.
Array = NDArray[Any]

#: How a session on an NVIDIA GPU is called among its `providers`.
CUDA = "CUDAExecutionProvider"


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, shape and dtype of one input or output; a dimension is -1 where it is free."""

    name: str
    shape: tuple[int, ...]
    dtype: str


class Session(Protocol):
    """One loaded model. `run` is thread-safe: many callers may share one session."""

    @property
    def info(self) -> ModelInfo:
        """Which weights these are."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What `run` wants."""

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What `run` answers, in order."""

    @property
    def providers(self) -> tuple[str, ...]:
        """The execution providers that were really chosen."""

    def run(self, feed: Mapping[str, Array], wanted: Sequence[str] | None = None) -> list[Array]:
        """Run once. Raises `ModelFailure`, or `OutOfMemory` when the device has no room."""
