import numpy as np
import pytest

from packshot.imaging.foreground import cutout, decontaminate, pack
from tests.benchmarks.matte_quality import colour_error
from tests.unit.matting.conftest import Scene, scene


@pytest.mark.parametrize("soft", [1.5, 6.0])
@pytest.mark.parametrize(("height", "width"), [(633, 801), (1500, 1100)])
def test_the_edge_gets_the_subjects_colour(height: int, width: int, soft: float) -> None:
    picture = scene(height, width, 200.0, soft)
    before = colour_error(picture.rgb, picture.colours, picture.alpha)
    clean = decontaminate(picture.rgb, picture.matte)
    after = colour_error(clean, picture.colours, picture.alpha)
    assert before > 30
    assert after < 0.4 * before


def test_only_mixed_pixels_change(photo: Scene) -> None:
    clean = decontaminate(photo.rgb, photo.matte)
    sure = (photo.matte == 0) | (photo.matte == 255)
    assert clean.dtype == np.uint8
    assert np.array_equal(clean[sure], photo.rgb[sure])
    assert not np.array_equal(clean, photo.rgb)


@pytest.mark.parametrize(
    "value", [pytest.param(0, id="nothing"), pytest.param(255, id="everything")]
)
def test_a_matte_without_an_edge_changes_nothing(photo: Scene, value: int) -> None:
    clean = decontaminate(photo.rgb, np.full_like(photo.matte, value))
    assert np.array_equal(clean, photo.rgb)
    assert clean is not photo.rgb


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (16, 16), (50, 4000), (4000, 50), (331, 257)]
)
def test_any_shape(height: int, width: int) -> None:
    picture = scene(height, width, min(height, width) / 3)
    result = cutout(picture.rgb, picture.matte)
    assert result.shape == (height, width, 4)
    assert result.dtype == np.uint8


def test_a_half_transparent_picture_keeps_its_colours() -> None:
    rgb = np.full((200, 200, 3), (180, 90, 30), np.uint8)
    clean = decontaminate(rgb, np.full((200, 200), 128, np.uint8))
    assert np.abs(clean.astype(int) - rgb).max() <= 1


def test_cutout_is_zero_where_nothing_is_seen(photo: Scene) -> None:
    result = cutout(photo.rgb, photo.matte)
    hidden = result[..., 3] == 0
    assert hidden.any()
    assert not result[hidden].any()
    assert np.array_equal(result[..., 3], photo.matte)
    solid = photo.matte == 255
    assert np.array_equal(result[solid, :3], photo.rgb[solid])


def test_pack_leaves_colours_alone(photo: Scene) -> None:
    result = pack(photo.rgb, photo.matte)
    seen = result[..., 3] > 0
    assert np.array_equal(result[seen, :3], photo.rgb[seen])


def test_the_inputs_of_a_cutout_stay_as_they_were(photo: Scene) -> None:
    rgb, alpha = photo.rgb.copy(), photo.matte
    rgb.setflags(write=False)
    alpha.setflags(write=False)
    cutout(rgb, alpha)
    assert np.array_equal(rgb, photo.rgb)
    assert np.array_equal(alpha, photo.matte)
