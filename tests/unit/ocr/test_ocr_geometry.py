import numpy as np
import pytest

from models.ocr.geometry import (
    Scissors,
    clockwise,
    crop,
    is_tall,
    own_corners,
    quad_size,
    turn_over,
)
from models.session import Array
from packshot.imaging.scale import halved

TL, TR, BR, BL = (10.0, 20.0), (110.0, 20.0), (110.0, 50.0), (10.0, 50.0)


def box(left: float, top: float, right: float, bottom: float) -> Array:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def marked(height: int, width: int) -> Array:
    """A picture whose red is the row and whose green is the column."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows, columns, np.zeros_like(rows)], axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    "shuffled",
    [
        pytest.param([TL, TR, BR, BL], id="in order"),
        pytest.param([BR, BL, TL, TR], id="from the bottom right"),
        pytest.param([BL, BR, TR, TL], id="anticlockwise"),
        pytest.param([TR, BL, TL, BR], id="crossed"),
    ],
)
def test_clockwise_starts_at_the_top_left(shuffled: list[tuple[float, float]]) -> None:
    assert clockwise(np.array(shuffled)).tolist() == [list(p) for p in (TL, TR, BR, BL)]


@pytest.mark.parametrize("degrees", [-40, -10, 10, 40])
def test_a_tilted_box_keeps_its_own_top(degrees: float) -> None:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    upright = box(-50, -10, 50, 10)
    tilted = upright @ turn.T
    np.testing.assert_allclose(clockwise(tilted[[2, 0, 3, 1]]), tilted, atol=1e-4)


def test_size_takes_the_longer_of_opposite_sides() -> None:
    quad = np.array([[0, 0], [100, 0], [80, 30], [0, 40]], np.float32)
    assert quad_size(quad) == (100.0, 40.0)


@pytest.mark.parametrize(
    ("width", "height", "tall"),
    [
        pytest.param(100, 20, False, id="line"),
        pytest.param(20, 29, False, id="single character"),
        pytest.param(20, 30, True, id="one and a half"),
        pytest.param(0.1, 1.0, False, id="less than a pixel wide"),
    ],
)
def test_is_tall(width: float, height: float, tall: bool) -> None:
    assert is_tall(box(0, 0, width, height)) is tall


def test_crop_is_the_part_of_the_picture() -> None:
    picture = marked(60, 120)
    np.testing.assert_array_equal(crop(picture, box(10, 20, 110, 50)), picture[20:50, 10:110])


def test_a_tall_crop_is_turned_so_that_down_becomes_right() -> None:
    strip = crop(marked(120, 60), box(10, 10, 30, 110))
    assert strip.shape == (20, 100, 3)
    # Rows of the photo (red) now rise along the width, and its right edge is on top.
    assert (np.diff(strip[10, :, 0].astype(int)) == 1).all()
    assert strip[0, 0, 1] > strip[-1, 0, 1]


@pytest.mark.parametrize(
    "quad",
    [
        pytest.param(box(-20, -20, -10, -15), id="outside"),
        pytest.param(box(5, 5, 5, 5), id="a point"),
        pytest.param(box(0, 0, 200, 200), id="larger than the picture"),
        pytest.param(box(0, 0, 1e6, 20), id="endless"),
    ],
)
def test_crop_always_gives_a_picture(quad: Array) -> None:
    strip = crop(marked(30, 30), quad)
    assert min(strip.shape) >= 1
    assert max(strip.shape) <= 8192


@pytest.mark.parametrize(("height", "halves"), [(190, 0), (192, 1), (380, 1), (384, 2), (800, 3)])
def test_large_print_is_cut_from_a_smaller_copy(height: int, halves: int) -> None:
    rough = np.random.default_rng(3).integers(0, 256, (1024, 1280, 3), dtype=np.uint8)
    quad = box(64, 32, 64 + 1024, 32 + height)
    strip = Scissors(rough).cut(quad)
    whole = crop(rough, quad)
    scale = 2**halves
    assert strip.shape == (height // scale, 1024 // scale, 3)
    np.testing.assert_array_equal(strip, halved(whole, strip.shape[1], strip.shape[0]))


def test_print_on_a_picture_without_a_half_is_cut_from_it() -> None:
    picture = marked(255, 255)
    quad = box(10, 10, 240, 240)
    np.testing.assert_array_equal(Scissors(picture).cut(quad), crop(picture, quad))


def test_a_pair_of_scissors_cuts_all_sizes() -> None:
    picture = marked(256, 256)
    scissors = Scissors(picture)
    small, large = box(10, 20, 110, 50), box(0, 0, 240, 200)
    before = scissors.cut(small)
    assert scissors.cut(large).shape == (100, 120, 3)
    np.testing.assert_array_equal(scissors.cut(small), before)


def test_turn_over_twice_is_the_same() -> None:
    picture = marked(5, 7)
    np.testing.assert_array_equal(turn_over(turn_over(picture)), picture)
    assert turn_over(picture)[0, 0].tolist() == [4, 6, 0]


@pytest.mark.parametrize(
    ("turned", "flipped", "first"),
    [
        pytest.param(False, False, TL, id="upright"),
        pytest.param(False, True, BR, id="on its head"),
        pytest.param(True, False, TR, id="running down"),
        pytest.param(True, True, BL, id="running up"),
    ],
)
def test_own_corners_start_at_the_texts_top_left(
    turned: bool, flipped: bool, first: tuple[float, float]
) -> None:
    corners = own_corners(box(10, 20, 110, 50), turned=turned, flipped=flipped)
    assert tuple(corners[0].tolist()) == first
    area = np.cross(np.append(corners[1] - corners[0], 0), np.append(corners[2] - corners[1], 0))[2]
    assert area > 0, "still clockwise with y down"
