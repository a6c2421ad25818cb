"""A checkpoint is a program; this reader runs none of it."""

import io
import os
import pickle
import struct
import sys
import types
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.weights.unpickle import read_checkpoint
from packshot.errors import ModelFailure

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class Tensor:
    """What torch would pickle as a tensor."""

    def __init__(
        self,
        key: str,
        array: NDArray[Any],
        *,
        offset: int = 0,
        shape: tuple[int, ...] | None = None,
        strides: tuple[int, ...] | None = None,
        claims: int | None = None,
    ) -> None:
        self.key, self.array, self.offset = key, array.ravel(), offset
        self.shape = array.shape if shape is None else shape
        self.strides = strides or tuple(s // array.itemsize for s in array.strides)
        self.claims = array.size if claims is None else claims

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        storage = Stored(self)
        return rebuild, (storage, self.offset, self.shape, self.strides, False, OrderedDict())


class Stored:
    """Marks where a pickle refers to a storage by its key."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class Writer(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        if not isinstance(value, Stored):
            return None
        tensor = value.tensor
        kind = "LongStorage" if tensor.array.dtype.kind == "i" else "FloatStorage"
        return (
            "storage",
            getattr(sys.modules["torch"], kind),
            tensor.key,
            "cpu",
            tensor.claims,
            None,
        )


@pytest.fixture(autouse=True)
def _torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins with torch's names, so that the writer can pickle references to them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2(*_: Any) -> None:
        raise AssertionError("the reader must not call what the file names")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = (
        "torch._utils",
        "_rebuild_tensor_v2",
    )
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    torch._utils = utils  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def checkpoint(state: dict[str, Any], *, magic: int = MAGIC, little: bool = True) -> bytes:
    file = io.BytesIO()
    for value in (magic, PROTOCOL, {"little_endian": little}):
        pickle.dump(value, file, protocol=2)
    Writer(file, protocol=2).dump(OrderedDict(state))
    tensors = {t.key: t for t in state.values() if isinstance(t, Tensor)}
    pickle.dump(sorted(tensors), file, protocol=2)
    for key in sorted(tensors):
        file.write(struct.pack("<q", tensors[key].array.size) + tensors[key].array.tobytes())
    return file.getvalue()


WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)


def read(content: bytes) -> dict[str, NDArray[Any]]:
    return read_checkpoint(io.BytesIO(content))


def test_tensors_come_back_with_shape_type_and_own_memory() -> None:
    found = read(checkpoint({"w": Tensor("0", WEIGHT), "n": Tensor("1", np.array(7, np.int64))}))

    np.testing.assert_array_equal(found["w"], WEIGHT)
    assert found["w"].dtype == np.float32
    assert found["w"].flags.writeable
    assert found["n"] == 7
    assert found["n"].dtype == np.int64


def test_views_of_one_storage_are_understood() -> None:
    found = read(checkpoint({"t": Tensor("0", WEIGHT, shape=(3, 2), strides=(1, 3))}))
    part = read(checkpoint({"t": Tensor("0", WEIGHT, offset=4, shape=(2,), strides=(1,))}))

    np.testing.assert_array_equal(found["t"], WEIGHT.T)
    np.testing.assert_array_equal(part["t"], [4, 5])


class Gadget:
    """Runs a function when it is unpickled by a careless reader."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


@pytest.mark.parametrize(
    ("gadget", "named"),
    [
        pytest.param(Gadget(os.system, "exit 1"), "system", id="a shell command"),
        pytest.param(Gadget(eval, "1"), "eval", id="an expression"),
        pytest.param(Gadget(getattr, OrderedDict, "x"), "getattr", id="a way around"),
        pytest.param(Gadget(np.array, [1]), "numpy", id="a harmless stranger"),
    ],
)
@pytest.mark.parametrize("place", ["weights", "magic"])
def test_a_program_in_the_file_is_refused(gadget: Gadget, named: str, place: str) -> None:
    content = checkpoint({"w": gadget}) if place == "weights" else pickle.dumps(gadget, protocol=2)

    with pytest.raises(ModelFailure, match=named):
        read(content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(lambda: b"", "refused", id="empty"),
        pytest.param(lambda: b"PK\x03\x04 zip", "refused", id="another format"),
        pytest.param(lambda: checkpoint({}, magic=1), "old format", id="another magic"),
        pytest.param(lambda: checkpoint({}, little=False), "big-endian", id="big-endian"),
        pytest.param(
            lambda: checkpoint({"w": Tensor("0", WEIGHT)})[:-1], "cut off", id="cut in the data"
        ),
        pytest.param(
            lambda: checkpoint({"w": Tensor("0", WEIGHT)})[:120], "refused", id="cut in a pickle"
        ),
        pytest.param(
            lambda: checkpoint({"w": Tensor("0", WEIGHT, claims=7)}), "elements", id="a lie on size"
        ),
        pytest.param(
            lambda: checkpoint({"w": Tensor("0", WEIGHT, claims=1 << 60)}),
            "claims",
            id="a huge size",
        ),
        pytest.param(
            lambda: checkpoint({"w": Tensor("0", WEIGHT, offset=1)}), "beyond", id="past the end"
        ),
        pytest.param(
            lambda: checkpoint({"w": Tensor("0", WEIGHT, offset=-1)}), "negative", id="before it"
        ),
        pytest.param(
            lambda: checkpoint({"w": Tensor("0", WEIGHT, strides=(-3, 1))}),
            "negative",
            id="backwards",
        ),
        pytest.param(
            lambda: checkpoint({"w": Tensor("0", WEIGHT, shape=(2, 9))}), "beyond", id="too wide"
        ),
        pytest.param(lambda: checkpoint({"w": "text"}), "refused", id="no tensor"),
    ],
)
def test_a_damaged_or_forged_file_is_a_sentence(content: Callable[[], bytes], says: str) -> None:
    with pytest.raises(ModelFailure, match=says):
        read(content())
