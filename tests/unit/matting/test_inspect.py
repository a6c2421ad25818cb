import numpy as np
import pytest
from numpy.typing import NDArray

from packshot.imaging.inspect import inspect
from packshot.results import Box
from tests.unit.matting.conftest import disc, levels


def canvas(*areas: tuple[slice, slice]) -> NDArray[np.uint8]:
    alpha = np.zeros((200, 300), np.uint8)
    for area in areas:
        alpha[area] = 255
    return alpha


def test_a_disc() -> None:
    facts = inspect(levels(disc(400, 500, 100.0, 2.0)))
    assert facts.coverage == pytest.approx(np.pi * 100**2 / (400 * 500), rel=0.01)
    # A ring of 2 * 2 * 0.9 pixels along the contour.
    assert facts.uncertain == pytest.approx(2 * np.pi * 100 * 3.6 / (np.pi * 100**2), rel=0.05)
    assert facts.box == Box(left=150, top=100, right=350, bottom=300)
    assert (facts.subjects, facts.largest, facts.holes, facts.touches) == (1, 1.0, 0, ())


def test_an_empty_matte() -> None:
    facts = inspect(np.zeros((50, 60), np.uint8))
    assert facts.box is None
    assert (facts.coverage, facts.uncertain, facts.subjects, facts.largest) == (0, 0, 0, 0)
    assert (facts.holes, facts.touches) == (0, ())


@pytest.mark.parametrize(("height", "width"), [(50, 60), (240, 320), (1023, 769)])
def test_a_full_matte(height: int, width: int) -> None:
    facts = inspect(np.full((height, width), 255, np.uint8))
    assert facts.coverage == 1  # and not a rounding more, which no result may have
    assert facts.box == Box(left=0, top=0, right=width, bottom=height)
    assert facts.touches == ("top", "right", "bottom", "left")
    assert (facts.subjects, facts.holes) == (1, 0)


def test_a_veil_is_nothing_but_uncertain() -> None:
    facts = inspect(np.full((50, 60), 51, np.uint8))
    assert facts.box is None
    assert facts.coverage == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("area", "sides"),
    [
        pytest.param((slice(0, 90), slice(100, 200)), ("top",), id="top"),
        pytest.param((slice(150, 200), slice(250, 300)), ("right", "bottom"), id="corner"),
        pytest.param((slice(50, 150), slice(0, 80)), ("left",), id="left"),
        pytest.param((slice(0, 150), slice(100, 105)), (), id="a thread that reaches the border"),
        pytest.param((slice(1, 199), slice(1, 299)), (), id="one pixel away"),
    ],
)
def test_sides_that_are_touched(area: tuple[slice, slice], sides: tuple[str, ...]) -> None:
    assert inspect(canvas(area)).touches == sides


@pytest.mark.parametrize(
    ("other", "subjects", "right"),
    [
        pytest.param((slice(20, 120), slice(180, 280)), 2, 280, id="a second one"),
        pytest.param((slice(20, 35), slice(180, 195)), 1, 195, id="a small part widens the box"),
        pytest.param((slice(20, 23), slice(180, 183)), 1, 120, id="dust does not"),
    ],
)
def test_parts(other: tuple[slice, slice], subjects: int, right: int) -> None:
    facts = inspect(canvas((slice(20, 120), slice(20, 120)), other))
    assert facts.subjects == subjects
    assert facts.box == Box(left=20, top=20, right=right, bottom=120)


def test_the_loop_of_a_handle_is_a_hole_and_the_outside_is_none() -> None:
    alpha = canvas((slice(20, 180), slice(20, 280)))
    alpha[40:100, 100:200] = 0
    alpha[120:124, 100:104] = 0
    alpha[150:180, 100:200] = 0
    facts = inspect(alpha)
    assert facts.holes == 1


def test_limits_are_exclusive() -> None:
    alpha = canvas((slice(0, 200), slice(0, 100)))
    alpha[:, 100:110] = 12  # below 0.05
    alpha[:, 110:120] = 243  # above 0.95
    assert inspect(alpha).uncertain == 0
    alpha[:, 120:130] = 13
    alpha[:, 130:140] = 242
    assert inspect(alpha).uncertain == pytest.approx(20 / 120)


def test_the_half_belongs_to_the_subject() -> None:
    alpha = canvas()
    alpha[:, :10] = 127
    alpha[:, 10:30] = 128
    assert inspect(alpha).box == Box(left=10, top=0, right=30, bottom=200)
