"""Training pictures: lines of text upright, trimaps around mattes."""

import numpy as np
import pytest

from packshot.imaging.crop import straighten
from packshot.imaging.trimap import trimap_of


def test_a_turned_line_comes_out_upright() -> None:
    """A quadrilateral whose first corner is the bottom right one: the text is upside down."""
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[40:50, 20:40] = 255
    crop = straighten(picture, ((60, 50), (20, 50), (20, 40), (60, 40)))
    assert crop is not None
    assert crop.shape == (10, 40, 3)
    assert crop[:, 21:].mean() > 250, "its left half lies at the right end now"
    assert crop[:, :19].mean() < 5


@pytest.mark.parametrize(
    ("height", "shape"),
    [
        pytest.param(14, (14, 10, 3), id="high enough to stay"),
        pytest.param(15, (10, 15, 3), id="tall: turned"),
    ],
)
def test_tall_lines_are_turned(height: int, shape: tuple[int, ...]) -> None:
    picture = np.zeros((50, 50, 3), np.uint8)
    crop = straighten(picture, ((5, 5), (15, 5), (15, 5 + height), (5, 5 + height)))
    assert crop is not None
    assert crop.shape == shape


def test_a_line_without_area_has_no_picture() -> None:
    assert straighten(np.zeros((9, 9, 3), np.uint8), ((1, 1), (1, 1), (1, 1), (1, 1))) is None


def test_a_line_that_leaves_the_picture_is_filled_with_its_border() -> None:
    picture = np.full((20, 20, 3), 90, np.uint8)
    crop = straighten(picture, ((10, 5), (30, 5), (30, 15), (10, 15)))
    assert crop is not None
    assert (crop == 90).all()


def test_a_trimap_is_sure_away_from_every_edge() -> None:
    alpha = np.zeros((200, 400), np.uint8)
    alpha[:, :200] = 255
    alpha[100, 350] = 7
    trimap = trimap_of(alpha)
    assert (trimap[50, :198] == 255).all(), "the picture's border is no edge"
    assert (trimap[50, 198:202] == 128).all()
    assert (trimap[50, 202:] == 0).all()
    assert trimap[100, 350] == 128
    assert trimap[100, 353] == 0


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        pytest.param(0, 0, id="empty"),
        pytest.param(255, 255, id="full"),
        pytest.param(128, 128, id="glass"),
    ],
)
def test_a_matte_without_edge(value: int, whole: int) -> None:
    assert (trimap_of(np.full((30, 40), value, np.uint8)) == whole).all()
