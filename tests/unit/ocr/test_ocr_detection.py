from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from models.ocr.detection import (
    DEVIATION,
    FAST,
    MEAN,
    DetectionOptions,
    Detector,
    detector_size,
    regions_of,
    to_tensor,
)
from models.session import Array

MakeNet = Callable[..., Any]
OPTIONS = DetectionOptions()


@pytest.mark.parametrize(
    ("size", "options", "expected"),
    [
        pytest.param((736, 736), OPTIONS, (736, 736), id="as it is"),
        pytest.param((500, 500), OPTIONS, (736, 736), id="enlarged to the short side"),
        pytest.param((2000, 2000), OPTIONS, (1280, 1280), id="shrunk to the long side"),
        pytest.param((1000, 500), OPTIONS, (1280, 640), id="enlarged until the long side"),
        pytest.param((1000, 1000), FAST, (960, 960), id="fast"),
        pytest.param((400, 200), FAST, (960, 480), id="fast, enlarged"),
        pytest.param((16, 16), OPTIONS, (128, 128), id="an icon is not blown up"),
        pytest.param((1, 1), OPTIONS, (32, 32), id="one pixel"),
        pytest.param((1, 4000), OPTIONS, (32, 1280), id="one pixel high"),
        pytest.param((5000, 100), OPTIONS, (1280, 32), id="1 to 50"),
        pytest.param((740, 1000), OPTIONS, (736, 992), id="rounded to 32"),
    ],
)
def test_detector_size(
    size: tuple[int, int], options: DetectionOptions, expected: tuple[int, int]
) -> None:
    assert detector_size(*size, options) == expected


def test_tensor_is_bgr_and_normalised() -> None:
    picture = np.zeros((736, 736, 3), np.uint8)
    picture[..., 0], picture[..., 1], picture[..., 2] = 200, 100, 50
    before = picture.copy()
    tensor, place = to_tensor(picture, OPTIONS)
    assert tensor.shape == (1, 3, 736, 736)
    assert tensor.dtype == np.float32
    assert place == (0, 0, 736, 736)
    values = tensor[0, :, 300, 300] * DEVIATION + MEAN
    np.testing.assert_allclose(values, [50, 100, 200], atol=1e-3)
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("size", [(40, 2000), (2000, 40), (3, 3)])
def test_a_strip_lies_in_the_middle_of_a_larger_canvas(size: tuple[int, int]) -> None:
    tensor, (top, left, height, width) = to_tensor(np.full((*size, 3), 255, np.uint8), OPTIONS)
    assert min(tensor.shape[2:]) >= 128
    assert abs(2 * top + height - tensor.shape[2]) <= 1
    assert abs(2 * left + width - tensor.shape[3]) <= 1
    inside = tensor[0, 0, top : top + height, left : left + width]
    assert (inside > 1).all()
    assert np.count_nonzero(tensor[0, 0]) == inside.size


def map_with(*bars: tuple[tuple[float, float], tuple[float, float], float, float]) -> Array:
    """A map of 400 x 600 with filled rotated bars: centre, (width, height), degrees, chance."""
    chances = np.zeros((400, 600), np.float32)
    for centre, size, degrees, chance in bars:
        corners = cv2.boxPoints((centre, size, degrees)).round().astype(np.int32)
        cv2.fillPoly(chances, [corners], (chance,))
    return chances


def test_a_core_grows_by_area_over_perimeter() -> None:
    (region,) = regions_of(
        map_with(((300, 200), (201, 21), 0, 0.8)), size=(400, 600), options=OPTIONS
    )
    # 202 x 22 pixels after the dilation, of which the contour spans 201 x 21; 1.6 A / P = 15.2.
    by = 201 * 21 * 1.6 / (2 * (201 + 21))
    width, height = region.quad[1, 0] - region.quad[0, 0], region.quad[3, 1] - region.quad[0, 1]
    assert width == pytest.approx(201 + 2 * by, abs=2)
    assert height == pytest.approx(21 + 2 * by, abs=2)


@pytest.mark.parametrize("degrees", [-30.0, 12.0, 30.0])
def test_a_rotated_core_gives_a_rotated_box(degrees: float) -> None:
    (region,) = regions_of(
        map_with(((300, 200), (200, 20), degrees, 0.9)), size=(400, 600), options=OPTIONS
    )
    run = region.quad[1] - region.quad[0]
    assert np.degrees(np.arctan2(run[1], run[0])) == pytest.approx(degrees, abs=1.0)
    np.testing.assert_allclose(region.quad.mean(axis=0), [300, 200], atol=2)


def test_every_box_has_its_own_score() -> None:
    bars = {100.0: 0.6, 200.0: 0.95, 300.0: 0.75}
    chances = map_with(*(((300, y), (200, 20), 0, chance) for y, chance in bars.items()))
    found = regions_of(chances, size=(400, 600), options=OPTIONS)
    scores = {round(float(region.quad[:, 1].mean()), -2): region.score for region in found}
    assert scores.keys() == bars.keys()
    for y, chance in bars.items():
        assert abs(scores[y] - chance) < 0.06


def test_boxes_are_scaled_to_the_photo() -> None:
    (region,) = regions_of(
        map_with(((300, 200), (200, 20), 0, 0.9)), size=(1200, 600), options=OPTIONS
    )
    np.testing.assert_allclose(region.quad.mean(axis=0), [300, 600], atol=3)


@pytest.mark.parametrize(
    "bar",
    [
        pytest.param(((300, 200), (200, 20), 0, 0.4), id="uncertain"),
        pytest.param(((300, 200), (200, 20), 0, 0.25), id="below the core threshold"),
        pytest.param(((300, 200), (1, 1), 0, 0.9), id="a speck"),
    ],
)
def test_what_is_no_line(
    bar: tuple[tuple[float, float], tuple[float, float], float, float],
) -> None:
    assert regions_of(map_with(bar), size=(400, 600), options=OPTIONS) == []


def test_a_line_inside_a_ring_is_found_and_the_hole_is_not() -> None:
    chances = np.zeros((400, 600), np.float32)
    cv2.circle(chances, (300, 200), 150, (0.9,), 30)
    cv2.rectangle(chances, (250, 190), (350, 210), (0.9,), -1)
    found = regions_of(chances, size=(400, 600), options=DetectionOptions(box_threshold=0.2))
    widths = sorted(float(np.ptp(region.quad[:, 0])) for region in found)
    assert len(widths) == 2, "the ring's outer border and the line"
    assert widths[0] < 150


def test_only_the_largest_cores_are_kept() -> None:
    chances = map_with(
        ((100, 100), (60, 20), 0, 0.9),
        ((300, 200), (300, 20), 0, 0.9),
        ((500, 300), (80, 20), 0, 0.9),
    )
    (region,) = regions_of(chances, size=(400, 600), options=DetectionOptions(max_boxes=1))
    np.testing.assert_allclose(region.quad.mean(axis=0), [300, 200], atol=2)


def test_the_canvas_is_taken_off_again(make_net: MakeNet) -> None:
    net = make_net("all-text", lambda tensor: np.full_like(tensor[:, :1], 0.9))
    (region,) = Detector(net, OPTIONS).detect(np.full((30, 600, 3), 255, np.uint8))
    np.testing.assert_allclose(region.quad.mean(axis=0), [300, 15], atol=2)
