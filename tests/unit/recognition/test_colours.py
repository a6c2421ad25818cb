import numpy as np
import pytest
from numpy.typing import NDArray

from models.recognition.colours import dominant_colours
from models.recognition.palette import NAMES, colour_name


def plain(*colour: int) -> NDArray[np.uint8]:
    return np.full((120, 160, 3), colour, dtype=np.uint8)


def disc(inside: tuple[int, int, int], outside: tuple[int, int, int]) -> NDArray[np.uint8]:
    picture = plain(*outside)
    rows, columns = np.mgrid[:120, :160]
    picture[(rows - 60) ** 2 + (columns - 80) ** 2 < 35**2] = inside
    return picture


@pytest.mark.parametrize(
    ("code", "en", "zh"),
    [
        ("#ffffff", "white", "白色"),
        ("#000000", "black", "黑色"),
        ("#777777", "grey", "灰色"),
        ("#c0c0c0", "grey", "灰色"),
        ("#ff0000", "red", "红色"),
        ("#8b0000", "red", "红色"),
        ("#ff8800", "orange", "橙色"),
        ("#ffee00", "yellow", "黄色"),
        ("#00aa00", "green", "绿色"),
        ("#0f3d1e", "green", "绿色"),
        ("#00bcd4", "cyan", "青色"),
        ("#0000ff", "blue", "蓝色"),
        ("#1e3a8a", "blue", "蓝色"),
        ("#87ceeb", "blue", "蓝色"),
        ("#800080", "purple", "紫色"),
        ("#ff69b4", "pink", "粉色"),
        ("#ffc0cb", "pink", "粉色"),
        ("#8b4513", "brown", "棕色"),
        ("#4e342e", "brown", "棕色"),
        ("#f5deb3", "beige", "米色"),
    ],
)
def test_names(code: str, en: str, zh: str) -> None:
    assert colour_name(code) == (en, zh)


def test_there_are_thirteen_names_and_each_is_its_own_nearest() -> None:
    assert len(NAMES) == 13
    for name in NAMES:
        assert {colour_name(shade) for shade in name.shades} == {(name.en, name.zh)}


def test_one_colour_is_one_colour() -> None:
    (only,) = dominant_colours(plain(200, 30, 30))
    assert (only.en, only.hex, only.share) == ("red", "#c81e1e", 1.0)


def test_a_plain_background_is_left_out() -> None:
    colours = dominant_colours(disc((20, 60, 200), (250, 250, 250)))
    assert colours[0].en == "blue"
    assert colours[0].share > 0.8


def test_the_subject_counts_even_where_it_has_the_background_inside() -> None:
    picture = disc((20, 60, 200), (250, 250, 250))
    picture[50:70, 70:90] = 250
    assert [colour.en for colour in dominant_colours(picture)][:2] == ["blue", "white"]


def test_the_centre_counts_more_than_the_edges() -> None:
    picture = plain(30, 120, 40)
    picture[:, 60:100] = (200, 30, 30)
    picture[0::2, :2] = (90, 90, 90)
    shares = {colour.en: colour.share for colour in dominant_colours(picture)}
    assert shares["red"] > 40 / 160


def test_shares_are_shares_and_fall() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    colours = dominant_colours(noise)
    shares = [colour.share for colour in colours]
    assert 1 <= len(colours) <= 5
    assert sum(shares) <= 1
    assert shares == sorted(shares, reverse=True)
    assert len({colour.en for colour in colours}) == len(colours)


def test_the_same_picture_gives_the_same_answer_and_stays_as_it_is() -> None:
    noise = np.random.default_rng(4).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    before = noise.copy()
    assert dominant_colours(noise) == dominant_colours(noise.copy())
    assert np.array_equal(noise, before)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (2, 2)], ids=str)
def test_odd_shapes(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), 128, dtype=np.uint8)
    assert [colour.en for colour in dominant_colours(picture)] == ["grey"]
