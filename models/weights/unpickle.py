"""Read the tensors of an old torch checkpoint without torch, and without running anything in it.

A pickle is a program. This reader knows four names and refuses every other, so that the worst a
manipulated file can do is fail to load.

Format (torch.serialization before 1.6): three pickles (magic number, protocol version, system
info), a fourth with the state dict whose tensors name their storages, a fifth with the storage
keys in order, then for each storage its element count (int64) and its raw elements.
"""

import pickle  # only through the unpickler below, which resolves four names
import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from packshot.errors import ModelFailure

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
#: Elements; far beyond any model that is converted here, and a bound on what a file may ask for.
_MOST_ELEMENTS = 1 << 28


@dataclass(slots=True)
class _Storage:
    dtype: np.dtype[Any]
    elements: int
    data: NDArray[Any] = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


_ALLOWED: dict[tuple[str, str], Callable[..., Any] | np.dtype[Any]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _Reader(pickle.Unpickler):
    def __init__(self, file: BinaryIO, storages: dict[str, _Storage]) -> None:
        super().__init__(file)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _location, elements, view = pid
        if kind != "storage" or view is not None or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f"it has a storage of an unknown kind: {pid!r}")
        if not 0 <= elements <= _MOST_ELEMENTS:
            raise pickle.UnpicklingError(f"a storage claims {elements} elements")
        return self._storages.setdefault(key, _Storage(dtype, elements))


def read_checkpoint(file: BinaryIO) -> dict[str, NDArray[Any]]:
    """Return the tensors of a legacy torch checkpoint by name (float32 or int64, own memory).

    Raises:
        ModelFailure: when the file is no such checkpoint, is cut off, or asks for anything but
            tensors; nothing that it names is ever imported or called.
    """
    try:
        return _read(file)
    except (
        pickle.UnpicklingError,
        struct.error,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        OverflowError,
        MemoryError,
    ) as error:
        raise ModelFailure(f"The checkpoint was refused: {error}.") from error


def _read(file: BinaryIO) -> dict[str, NDArray[Any]]:
    storages: dict[str, _Storage] = {}

    def load() -> Any:
        return _Reader(file, storages).load()

    if load() != _MAGIC or load() != _PROTOCOL:
        raise ValueError("it is not a torch file of the old format")
    if not load()["little_endian"]:
        raise ValueError("it was written on a big-endian machine")
    state = load()
    for key in load():
        _fill(storages[key], key, file)
    return {name: _array(tensor) for name, tensor in state.items()}


def _fill(storage: _Storage, key: str, file: BinaryIO) -> None:
    (elements,) = struct.unpack("<q", file.read(8))
    if elements != storage.elements:
        raise ValueError(f"storage {key} has {elements} elements instead of {storage.elements}")
    raw = file.read(elements * storage.dtype.itemsize)
    if len(raw) != elements * storage.dtype.itemsize:
        raise ValueError(f"storage {key} is cut off")
    storage.data = np.frombuffer(raw, storage.dtype)


def _array(tensor: _Tensor) -> NDArray[Any]:
    last = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    # as_strided checks nothing: a manipulated file could otherwise read foreign memory.
    if min(tensor.shape, default=1) < 1 or min((*tensor.strides, tensor.offset)) < 0:
        raise ValueError("a tensor has a negative or empty dimension")
    if tensor.offset + last >= tensor.storage.data.size:
        raise ValueError("a tensor reaches beyond its storage")
    item = tensor.storage.dtype.itemsize
    view = np.lib.stride_tricks.as_strided(
        tensor.storage.data[tensor.offset :], tensor.shape, [s * item for s in tensor.strides]
    )
    return view.copy()
