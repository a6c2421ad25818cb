"""Our PNG files, read by two libraries that did not write them."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from packshot.imaging import png
from packshot.imaging.png import write_png

Picture = NDArray[np.uint8]


def noise(*shape: int) -> Picture:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, np.uint8)


def pillow(data: bytes) -> Picture:
    with Image.open(BytesIO(data)) as image:
        image.verify()  # every chunk's checksum
    with Image.open(BytesIO(data)) as image:
        return np.array(image)


def opencv(data: bytes) -> Picture:
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if read is not None and read.ndim == 3:
        read = cv2.cvtColor(read, cv2.COLOR_BGRA2RGBA if read.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    return np.asarray(read, np.uint8)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(noise(1, 1), id="one grey pixel"),
        pytest.param(noise(7, 5), id="grey"),
        pytest.param(noise(7, 5, 3), id="colour"),
        pytest.param(noise(5, 7, 4), id="alpha"),
        pytest.param(noise(1, 300, 4), id="one row"),
        pytest.param(noise(300, 1, 3), id="one column"),
        pytest.param(noise(64, 64, 4)[::2, 8:40], id="a view"),
        pytest.param(np.zeros((500, 700, 4), np.uint8), id="nothing in it"),
        pytest.param(noise(1500, 2000, 3), id="twelve megabytes that do not pack"),
    ],
)
def test_what_was_written_is_read(picture: Picture) -> None:
    before = picture.copy()
    data = write_png(picture)
    np.testing.assert_array_equal(pillow(data), picture)
    np.testing.assert_array_equal(opencv(data), picture)
    np.testing.assert_array_equal(picture, before)


def test_a_channel_of_its_own_is_grey() -> None:
    picture = noise(6, 4)
    assert write_png(picture[..., None]) == write_png(picture)


def test_data_longer_than_a_chunk_may_be_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = noise(40, 40, 3)
    monkeypatch.setattr(png, "_LONGEST", 1000)
    data = write_png(picture)
    assert data.count(b"IDAT") == 5
    np.testing.assert_array_equal(pillow(data), picture)
    np.testing.assert_array_equal(opencv(data), picture)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(noise(4, 4, 2), id="two channels"),
        pytest.param(noise(4, 4, 5), id="five channels"),
        pytest.param(noise(0, 4, 3), id="empty"),
        pytest.param(noise(4, 4).astype(np.uint16), id="sixteen bits"),
    ],
)
def test_what_the_format_does_not_hold_is_refused(picture: Picture) -> None:
    with pytest.raises(ValueError, match="cannot write"):
        write_png(picture)
