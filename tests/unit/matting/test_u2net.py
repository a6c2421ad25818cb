import numpy as np
import pytest
from numpy.typing import NDArray

from models.matting.u2net import MEAN, PRESENT, SIDE, STD, measure, prepare
from tests.unit.matting.conftest import disc


def raw(radius: float, soft: float, low: float = 0.0, high: float = 1.0) -> NDArray[np.float32]:
    return np.asarray(low + (high - low) * disc(SIDE, SIDE, radius, soft), np.float32)


@pytest.mark.parametrize(
    ("height", "width"), [(16, 16), (320, 320), (2000, 1500), (50, 4000), (4000, 50), (1, 1)]
)
def test_input_has_the_nets_shape(height: int, width: int) -> None:
    tensor = prepare(np.full((height, width, 3), 100, np.uint8))
    assert tensor.shape == (1, 3, SIDE, SIDE)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous


def test_input_is_scaled_by_its_maximum_and_normalised() -> None:
    rgb = np.zeros((320, 320, 3), np.uint8)
    rgb[..., 0] = 100
    rgb[..., 2] = 50
    tensor = prepare(rgb)
    expected = (np.array([1.0, 0.0, 0.5]) - MEAN) / STD
    assert tensor[0, :, 7, 9] == pytest.approx(expected, abs=1e-6)


def test_a_black_picture_is_no_division_by_zero() -> None:
    assert prepare(np.zeros((40, 40, 3), np.uint8))[0, :, 0, 0] == pytest.approx(-MEAN / STD)


def test_a_strip_is_averaged_although_its_other_side_grows() -> None:
    # Columns of one pixel, black and white: anything but averaging would show stripes.
    rgb = np.zeros((50, 4000, 3), np.uint8)
    rgb[:, ::2] = 200
    tensor = prepare(rgb)
    # Averages of 12 or 13 columns differ a little; stripes would span 4.4.
    assert np.ptp(tensor[0, 0]) < 0.5


def test_the_noise_of_a_black_picture_is_not_made_bright() -> None:
    tensor = prepare(np.full((40, 40, 3), 3, np.uint8))
    assert tensor[0, :, 0, 0] == pytest.approx((3 / 32 - MEAN) / STD)


@pytest.mark.parametrize("high", [0.0, 0.06, 0.37, PRESENT - 0.01])
def test_a_weak_answer_is_no_subject(high: float) -> None:
    saliency = measure(raw(60, 2, high=high))
    assert saliency.presence == pytest.approx(high)
    assert not saliency.mask.any()
    assert saliency.doubt == 0


@pytest.mark.parametrize(
    ("low", "high", "darkest", "brightest"),
    [
        pytest.param(0.0, 1.0, 0.0, 1.0, id="nothing to stretch"),
        pytest.param(0.05, 0.95, 0.0, 1.0, id="stretched"),
        pytest.param(0.0, 0.76, 0.0, 0.76 / 0.9, id="a weak subject stays weak"),
        pytest.param(0.5, 1.0, 0.4 / 0.9, 1.0, id="a full picture keeps its background"),
    ],
)
def test_stretching_has_limits(low: float, high: float, darkest: float, brightest: float) -> None:
    mask = measure(raw(60, 2, low, high)).mask
    assert mask.dtype == np.float32
    assert float(mask.min()) == pytest.approx(darkest, abs=1e-5)
    assert float(mask.max()) == pytest.approx(brightest, abs=1e-5)


def test_blur_is_the_width_of_the_transition() -> None:
    # From 0.1 to 0.9 is 80 % of a ramp of 2 * soft pixels.
    assert measure(raw(80, 5)).blur == pytest.approx(0.8 * 10, rel=0.25)
    assert measure(raw(80, 2)).blur == pytest.approx(0.8 * 4, rel=0.25)


def test_doubt_grows_with_softness_and_not_with_size() -> None:
    crisp, soft, ghost = measure(raw(80, 1)), measure(raw(80, 8)), measure(raw(80, 30))
    assert crisp.doubt < soft.doubt < ghost.doubt
    assert crisp.doubt < 0.2
    assert ghost.doubt > 2
    assert measure(raw(120, 1)).doubt == pytest.approx(crisp.doubt, abs=0.1)


def test_nan_counts_as_background() -> None:
    values = raw(80, 2)
    values[:20] = np.nan
    saliency = measure(values)
    assert np.isfinite(saliency.mask).all()
    assert saliency.presence == 1
