from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.ocr import orientation
from models.ocr.recognition import (
    HEIGHT,
    MAX_WIDTH,
    MIN_WIDTH,
    Recogniser,
    padded_width,
    strip_width,
    to_tensor,
)
from models.session import Array

MakeNet = Callable[..., Any]
CHARSET = tuple(chr(0x4E00 + index) for index in range(256))


def shade(tensor: Array) -> Array:
    """Answers the grey of each strip's left end as a class: 1 + grey."""
    answer = np.zeros((len(tensor), 1, len(CHARSET) + 2), np.float32)
    greys = ((tensor[:, 0, 20, 0] + 1) * 127.5).round().astype(int)
    answer[np.arange(len(tensor)), 0, greys + 1] = 0.5
    return answer


def crops_of(*widths: int) -> list[Array]:
    return [np.full((24, width, 3), 10 * place, np.uint8) for place, width in enumerate(widths)]


@pytest.mark.parametrize(
    ("shape", "width", "padded"),
    [
        pytest.param((48, 100), 100, MIN_WIDTH, id="narrow"),
        pytest.param((24, 200), 400, 416, id="rounded up"),
        pytest.param((24, 208), 416, 416, id="a whole step"),
        pytest.param((1, 8000), MAX_WIDTH, MAX_WIDTH, id="endless"),
        pytest.param((8000, 1), 1, MIN_WIDTH, id="upright hair"),
    ],
)
def test_widths(shape: tuple[int, int], width: int, padded: int) -> None:
    strip = np.zeros((*shape, 3), np.uint8)
    assert strip_width(strip) == width
    assert padded_width(width) == padded
    assert to_tensor(strip).shape == (1, 3, HEIGHT, padded)


def test_tensor_is_bgr_in_minus_one_to_one_with_grey_behind() -> None:
    strip = np.zeros((48, 100, 3), np.uint8)
    strip[..., 0] = 255
    tensor = to_tensor(strip)
    assert tensor[0, :, 10, 50].tolist() == [-1.0, -1.0, 1.0]
    assert tensor.dtype == np.float32
    assert (tensor[0, :, :, 100:] == 0).all()


def test_answers_come_in_the_order_of_the_crops(make_net: MakeNet) -> None:
    net = make_net("shade", shade, len(CHARSET) + 2)
    crops = crops_of(500, 20, 300, 80, 700, 10, 260)
    readings = Recogniser(net, CHARSET).recognise(crops)
    assert [reading.text for reading in readings] == [CHARSET[10 * place] for place in range(7)]


def test_a_crop_is_padded_to_its_own_width(make_net: MakeNet) -> None:
    net = make_net("shade", shade, len(CHARSET) + 2)
    Recogniser(net, CHARSET).recognise(crops_of(800, 20, 780, 30))
    assert [shape[3] for shape in net.shapes] == [1600, MIN_WIDTH, 1568, MIN_WIDTH]


def test_no_crops_no_call(make_net: MakeNet) -> None:
    net = make_net("shade", shade, len(CHARSET) + 2)
    assert Recogniser(net, CHARSET).recognise([]) == []
    assert net.shapes == []


def test_orientation_of_every_crop(make_net: MakeNet) -> None:
    def brightness(tensor: Array) -> Array:
        turned = (tensor[:, 0, 0, 0] + 1) / 2
        return np.stack([1 - turned, turned], axis=1)

    net = make_net("brightness", brightness)
    chances = orientation.Orientation(net).chances(crops_of(30, 40, 50, 60))
    assert chances == pytest.approx([0, 10 / 255, 20 / 255, 30 / 255])
    assert net.shapes == [(1, 3, 48, 192)] * 4


def test_orientation_squeezes_long_crops_and_pads_short_ones() -> None:
    tensor = orientation.to_tensor(
        [np.zeros((48, 4000, 3), np.uint8), np.zeros((48, 96, 3), np.uint8)]
    )
    assert (tensor[0] == -1).all()
    assert (tensor[1, :, :, :96] == -1).all()
    assert (tensor[1, :, :, 96:] == 0).all()
