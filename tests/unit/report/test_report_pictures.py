"""Pictures small enough to travel inside a page."""

import base64
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from packshot.results import Box
from tests.unit.report.report_jobs import Blobs, blobs
from workers.report.pictures import (
    Budget,
    Embedded,
    crop_to,
    embed,
    load_cutout,
    load_photo,
    sizes_for,
)


def _noise(height: int, width: int, channels: int) -> NDArray[np.uint8]:
    random = np.random.default_rng(7)
    return random.integers(0, 256, (height, width, channels), np.uint8)


def _opened(shown: Embedded) -> Image.Image:
    kind, _, data = shown.uri.partition(";base64,")
    assert kind == "data:image/webp"
    return Image.open(BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize("channels", [3, 4], ids=["photo", "cut-out"])
@pytest.mark.parametrize(
    ("side", "most"), [(320, 10**6), (320, 20_000), (96, 6_000)], ids=["loose", "tight", "tiny"]
)
def test_a_picture_keeps_to_its_budget(channels: int, side: int, most: int) -> None:
    shown = embed(_noise(600, 900, channels), Budget(side, most))
    picture = _opened(shown)
    assert picture.size == (shown.width, shown.height)
    assert max(picture.size) <= side
    assert len(base64.b64decode(shown.uri.partition(",")[2])) <= most


def test_a_small_picture_keeps_its_size() -> None:
    shown = embed(_noise(40, 60, 3), Budget(320, 50_000))
    assert (shown.width, shown.height) == (60, 40)


def test_a_shrunk_cutout_has_no_fringe_of_the_invisible_colour() -> None:
    cutout = np.zeros((400, 400, 4), np.uint8)
    cutout[..., 1] = 255  # invisible green around
    cutout[101:301, 101:301] = (250, 20, 20, 255)
    red, green, _, alpha = np.moveaxis(
        np.asarray(_opened(embed(cutout, Budget(150, 50_000)))).astype(int), -1, 0
    )
    edge = (alpha > 60) & (alpha < 250)
    assert edge.any()
    assert green[edge].max() < 90
    assert red[edge].min() > 150


def test_the_input_is_not_modified() -> None:
    image = _noise(300, 300, 4)
    before = image.copy()
    embed(image, Budget(100, 20_000))
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    ("box", "size"),
    [
        (Box(left=40, top=50, right=60, bottom=150), (112, 32)),
        (Box(left=0, top=0, right=100, bottom=200), (200, 100)),
        (None, (200, 100)),
    ],
    ids=["inside", "whole", "no box"],
)
def test_crop_keeps_some_air(box: Box | None, size: tuple[int, int]) -> None:
    assert crop_to(np.zeros((200, 100, 4), np.uint8), box).shape[:2] == size


def test_what_is_gone_or_broken_is_none() -> None:
    broken = Blobs({"text": b"hello", "png": blobs().get("cutout")[:200], "jpeg": b"\xff\xd8\xff"})
    for key in ("text", "png", "jpeg", "gone"):
        assert load_photo(broken, key) is None
        assert load_cutout(broken, key) is None


def test_more_photos_mean_smaller_pictures() -> None:
    few, many, lots = (sizes_for(photos) for photos in (60, 61, 1000))
    assert few.photo.bytes > many.photo.bytes > lots.photo.bytes
    # With base64 and two outputs a photo stays below 450 kB.
    total = few.photo.bytes + few.cutout.bytes + few.thumb.bytes + 2 * few.output.bytes
    assert total * 4 / 3 < 450_000
