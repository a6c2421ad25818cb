"""Broken messages and broken photos without end: every one is drawn from a seed."""

import copy
import json
import random
import struct
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from packshot.contract import Lane, Step, queue_name, task_name
from tests.support import bad_photos

#: What takes the place of a value that was right.
_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 1.5, 1e308, -(2**63), 2**64, 10**400),
    *(
        "",
        " ",
        "x",
        "live",
        "\x00",
        "\ud800",
        "é" * 300,
        "../../etc/passwd",
        "<script>",
        "1",
        "null",
    ),
    *("s3://", "s3://b/k", "file:///etc/passwd", "http://169.254.169.254/", "data:,x", "#ffffff"),
    *([], {}, [[]], [None], {"a": {}}, {"uri": 7}, ["ocr", "ocr"], [{}] * 40, {"top": "#000000"}),
)
#: Names of fields, some of which there are.
_NAMES = ("version", "image", "uri", "steps", "outputs", "lane", "Version", "", "\x00", "x" * 400)


@dataclass(frozen=True, slots=True)
class Raw:
    """A message for a stage's queue, as any AMQP client could send it."""

    queue: str
    body: bytes
    headers: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)


def submissions(seed: int, count: int) -> Iterator[bytes]:
    """Bodies for the intake: JSON that is nearly right, and bytes that are nearly JSON."""
    rng = random.Random(seed)
    for number in range(count):
        message = _job(number)
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
            rng.choice((_replace, _replace, _remove, _add, _nest))(rng, message)
        body = json.dumps(message, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
        yield _scramble(rng, body) if rng.random() < 0.3 else body


def raw_messages(seed: int, count: int) -> Iterator[Raw]:
    """Messages for the stages' queues, with something wrong in body, headers or properties."""
    rng = random.Random(seed)
    for _ in range(count):
        step, lane = rng.choice(list(Step)), rng.choice(list(Lane))
        # Nobody's job: what is right with the message by accident must rest as well.
        named: dict[str, Any] = {"job": str(uuid.UUID(int=rng.getrandbits(64))), "step": str(step)}
        content: list[Any] = [[], named | {"lane": str(lane)}, _embedded(rng)]
        headers: dict[str, Any] = {"task": task_name(step), "id": str(uuid.uuid4()), "lang": "py"}
        properties = {"content_type": "application/json", "content_encoding": "utf-8"}
        kind = rng.choice(("body", "bytes", "headers", "properties", "all"))
        if kind in {"body", "all"}:
            rng.choice((_replace, _remove, _add, _nest))(rng, content)
        body = json.dumps(content).encode("utf-8", "surrogatepass")
        if kind in {"bytes", "all"}:
            body = _scramble(rng, body)
        if kind in {"headers", "all"}:
            _spoil(rng, headers)
        if kind in {"properties", "all"}:
            properties[rng.choice(list(properties))] = rng.choice(
                ("", "text/plain", "application/x-python-serialize", "gzip", "utf-99", "binary")
            )
        yield Raw(queue_name(step, lane), body, headers, properties)


def photos(seed: int, count: int) -> Iterator[bytes]:
    """Files of every format that is read, and of some that are not, each of them damaged."""
    rng = random.Random(seed)
    whole = [make(rng.randrange(1000)) for make in _WHOLE]
    damages = (_truncated, _flipped, _flipped, _overwritten, _spliced, _resized, _grown, _header)
    for _ in range(count):
        data = bytearray(rng.choice(whole))
        for _ in range(rng.choice((1, 1, 2, 3))):
            data = rng.choice(damages)(rng, data, whole)
        yield bytes(data)


def _job(number: int) -> dict[str, Any]:
    return {
        "version": 1,
        "source": "fuzz",
        "job_id": f"fuzz/{number}",
        "sku": f"SKU{number}",
        # Nothing is there: a message that is still right ends as `not_found`, which is cheap.
        "image": {"uri": "file:///nowhere/photo.jpg"},
        "steps": ["ocr", "recognition", "matting"],
        "lane": "bulk",
        "outputs": [
            {"name": "cutout", "background": "transparent", "format": "png"},
            {"name": "main", "background": "#ffffff", "size": 512, "fill": 0.85, "format": "jpeg"},
        ],
        "review": "auto",
        "metadata": {"listing": number, "tags": ["a", {"b": None}]},
    }


def _embedded(rng: random.Random) -> dict[str, Any]:
    hop = {"task": "packshot.ocr", "args": [], "kwargs": {}, "options": {}}
    return rng.choice(({}, {"chain": None}, {"chain": [hop]}, {"callbacks": None, "chord": None}))


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a document, with every key or index in it."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            found += [(value, key), *_places(value[key])]
    return found


def _replace(rng: random.Random, document: Any) -> None:
    holder, key = rng.choice(_places(document) or [({0: 0}, 0)])
    holder[key] = copy.deepcopy(rng.choice(_ODD))


def _remove(rng: random.Random, document: Any) -> None:
    holder, key = rng.choice(_places(document) or [({0: 0}, 0)])
    del holder[key]


def _add(rng: random.Random, document: Any) -> None:
    holder, _ = rng.choice(_places(document) or [({}, 0)])
    if isinstance(holder, dict):
        holder[rng.choice(_NAMES)] = copy.deepcopy(rng.choice(_ODD))
    else:
        holder.insert(rng.randrange(len(holder) + 1), copy.deepcopy(rng.choice(_ODD)))


def _nest(rng: random.Random, document: Any) -> None:
    holder, key = rng.choice(_places(document) or [({0: 0}, 0)])
    for _ in range(rng.choice((1, 5, 200))):
        holder[key] = [holder[key]] if rng.random() < 0.5 else {"a": holder[key]}


def _spoil(rng: random.Random, headers: dict[str, Any]) -> None:
    odd: tuple[Any, ...] = (
        None,
        7,
        -1,
        True,
        "",
        "abc",
        [],
        [1],
        {},
        {"a": 1},
        [{"count": "x"}],
        "x" * 3000,
        2**40,
    )
    names = (
        *("task", "id", "lang", "root_id", "parent_id", "group", "eta", "expires", "timelimit"),
        *("retries", "argsrepr", "kwargsrepr", "origin", "stamps", "stamped_headers", "shadow"),
        *("ignore_result", "replaced_task_nesting", "x-death", "compression", "reply_to"),
    )
    for _ in range(rng.choice((1, 1, 2, 4))):
        name = rng.choice(names)
        if rng.random() < 0.2:
            headers.pop(name, None)
        else:
            headers[name] = rng.choice(odd)


def _scramble(rng: random.Random, body: bytes) -> bytes:
    data = bytearray(body)
    way = rng.randrange(7)
    if way == 0:
        return bytes(data[: rng.randrange(len(data))])
    if way == 1:
        return b"\xef\xbb\xbf" + bytes(data)
    if way == 2:
        return bytes(data) * 2
    if way == 3:
        return rng.randbytes(rng.choice((0, 1, 64, 5000)))
    if way == 4:
        return b"[" * 20_000 + bytes(data)
    for _ in range(rng.choice((1, 3, 20))):
        at = rng.randrange(len(data))
        if way == 5:
            data[at] ^= 1 << rng.randrange(8)
        else:
            data.insert(at, rng.choice(b'\x00\xff"{}[],:\\'))
    return bytes(data)


_Damage = Callable[[random.Random, bytearray, list[bytes]], bytearray]

_WHOLE: tuple[Callable[[int], bytes], ...] = (
    bad_photos.photo,
    lambda seed: bad_photos.photo(seed, "JPEG", progressive=True),
    lambda seed: bad_photos.photo(seed, "PNG"),
    lambda seed: bad_photos.photo(seed, "WEBP"),
    lambda seed: bad_photos.photo(seed, "BMP"),
    lambda seed: bad_photos.photo(seed, "GIF"),
    lambda seed: bad_photos.photo(seed, "TIFF"),
    lambda seed: bad_photos.photo(seed, "AVIF"),
    bad_photos.heic,
    bad_photos.cmyk,
    bad_photos.palette_with_alpha,
    bad_photos.exif_garbage,
    bad_photos.archive,
    lambda seed: bad_photos.deep(seed, "PNG"),
    lambda seed: bad_photos.animation(seed, "GIF"),
    lambda seed: bad_photos.animation(seed, "WEBP"),
)


def _truncated(rng: random.Random, data: bytearray, _: list[bytes]) -> bytearray:
    return data[: rng.randrange(len(data) + 1)]


def _flipped(rng: random.Random, data: bytearray, _whole: list[bytes]) -> bytearray:
    for _ in range(rng.choice((1, 4, 32))):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _overwritten(rng: random.Random, data: bytearray, _: list[bytes]) -> bytearray:
    start = rng.randrange(len(data) + 1)
    length = min(len(data) - start, rng.choice((1, 16, 400)))
    data[start : start + length] = rng.choice(
        (bytes(length), b"\xff" * length, rng.randbytes(length))
    )
    return data


def _spliced(rng: random.Random, data: bytearray, whole: list[bytes]) -> bytearray:
    other = rng.choice(whole)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other)) :]


def _resized(rng: random.Random, data: bytearray, _: list[bytes]) -> bytearray:
    """Write a size into the first bytes, where most formats have theirs."""
    side = rng.choice((0, 1, 2, 0x7FFF, 0xFFFF, 60_000, 2**31 - 1))
    code = rng.choice((">H", "<H", ">I", "<I"))
    size = struct.pack(code, min(side, 2 ** (8 * struct.calcsize(code)) - 1))
    at = rng.randrange(max(1, min(len(data), 200)))
    data[at : at + len(size)] = size
    return data


def _grown(rng: random.Random, data: bytearray, _: list[bytes]) -> bytearray:
    return data + rng.randbytes(rng.choice((1, 100, 20_000)))


def _header(rng: random.Random, data: bytearray, whole: list[bytes]) -> bytearray:
    """Another format's beginning."""
    length = rng.choice((2, 4, 12))
    data[:length] = rng.choice(whole)[:length]
    return data
