import cv2
import numpy as np
import pytest

from packshot.imaging import guided, matte
from packshot.imaging.grid import Bytes, Floats, Grid
from tests.benchmarks.matte_quality import compare
from tests.unit.matting.conftest import Scene, disc, scene


def enlarged(scene: Scene) -> Floats:
    height, width = scene.alpha.shape
    return np.asarray(cv2.resize(scene.coarse, (width, height)), np.float32)


def refine_everywhere(rgb: Bytes, coarse: Floats) -> Floats:
    """The same method without tiles: every step on the whole picture."""
    grid = Grid.over(rgb.shape, matte.SIDE)
    mask = grid.resample(coarse)
    bounds = matte.limits(mask, grid.cells(matte.REACH))
    return matte.evaluate(grid.spread(matte.fit(grid, rgb, mask)), grid.spread(bounds), rgb)


def test_beats_the_enlarged_mask_in_every_measure(photo: Scene) -> None:
    raw = compare(enlarged(photo), photo.alpha)
    refined = compare(matte.refine(photo.rgb, photo.coarse), photo.alpha)
    assert refined.sad < 0.4 * raw.sad
    assert refined.band < 0.4 * raw.band
    assert refined.mse < 0.4 * raw.mse
    assert refined.gradient < 0.4 * raw.gradient
    assert refined.iou > max(0.99, raw.iou)


@pytest.mark.parametrize(
    ("height", "width"),
    [
        pytest.param(320, 320, id="one pixel a cell"),
        pytest.param(633, 801, id="cells hang over"),
        pytest.param(1024, 1024, id="four pixels a cell"),
        pytest.param(700, 1900, id="wide"),
    ],
)
def test_tiles_change_nothing(height: int, width: int) -> None:
    picture = scene(height, width, min(height, width) / 3)
    refined = matte.refine(picture.rgb, picture.coarse)
    plain = refine_everywhere(picture.rgb, picture.coarse)
    assert np.abs(refined - plain).max() < 1e-5


@pytest.mark.parametrize(
    ("height", "width"),
    [
        pytest.param(16, 16, id="tiny"),
        pytest.param(50, 4000, id="strip"),
        pytest.param(4000, 50, id="column"),
        pytest.param(1, 1, id="one pixel"),
        pytest.param(1, 300, id="one row"),
        pytest.param(331, 257, id="odd"),
    ],
)
def test_any_shape_gives_a_finite_alpha(height: int, width: int) -> None:
    picture = scene(height, width, min(height, width) / 3)
    alpha = matte.refine(picture.rgb, picture.coarse)
    assert alpha.shape == (height, width)
    assert alpha.dtype == np.float32
    assert np.isfinite(alpha).all()
    assert alpha.min() >= 0
    assert alpha.max() <= 1


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_picture_of_one_colour_returns_the_mask(level: int, share: float) -> None:
    rgb = np.full((300, 400, 3), level, np.uint8)
    alpha = matte.refine(rgb, np.full((320, 320), share, np.float32))
    assert np.abs(alpha - share).max() < 1e-3


def test_a_grey_picture_with_contrast_stays_finite() -> None:
    # Three equal channels make the covariance as singular as it gets.
    picture = scene(400, 400, 120.0)
    rgb = np.repeat(picture.rgb[..., :1], 3, axis=2)
    found = guided.fit(rgb, picture.alpha, radius=8, eps=1e-8)
    assert np.isfinite(found.lines).all()
    assert np.isfinite(found.explained).all()
    assert compare(matte.refine(rgb, picture.coarse), picture.alpha).iou > 0.98


def test_a_thread_of_one_pixel_survives_where_the_mask_has_it() -> None:
    alpha = np.zeros((400, 400), np.float32)
    alpha[:, 200] = 1.0
    rgb = np.full((400, 400, 3), (90, 120, 90), np.uint8)
    rgb[:, 200] = 200, 30, 30
    coarse = np.clip(3 * cv2.GaussianBlur(cv2.resize(alpha, (320, 320)), (0, 0), 1.0), 0, 1)
    refined = matte.refine(rgb, np.asarray(coarse, np.float32))
    assert refined[20:-20, 200].min() > 0.9
    assert refined[20:-20, :190].max() < 0.05
    assert (
        compare(refined, alpha).sad
        < compare(np.asarray(cv2.resize(coarse, (400, 400)), np.float32), alpha).sad
    )


@pytest.mark.parametrize("contrast", [0, 3, 6])
def test_a_white_thing_on_white_keeps_the_masks_edge(contrast: int) -> None:
    alpha = disc(1000, 1000, 300.0)
    noise = np.random.default_rng(4).normal(size=(1000, 1000, 3)) * 2
    rgb = np.clip(245 - contrast * alpha[..., None] + noise, 0, 255).astype(np.uint8)
    small = cv2.resize(alpha, (320, 320), interpolation=cv2.INTER_AREA)
    coarse = np.asarray(cv2.GaussianBlur(small, (0, 0), 1.2), np.float32)
    raw = compare(np.asarray(cv2.resize(coarse, (1000, 1000)), np.float32), alpha)
    refined = compare(matte.refine(rgb, coarse), alpha)
    assert refined.sad < 0.65 * raw.sad
    assert refined.band < 0.65 * raw.band


def test_explained_says_whether_the_picture_shows_the_edge(photo: Scene) -> None:
    grid = Grid.over(photo.rgb.shape, matte.SIDE)
    mask, guide = grid.resample(photo.coarse), grid.shrink_bytes(photo.rgb)
    edge = (mask > 0.4) & (mask < 0.6)
    seen = guided.fit(guide, mask, radius=8, eps=1e-4).explained[edge]
    blind = guided.fit(np.full_like(guide, 200), mask, radius=8, eps=1e-4).explained[edge]
    assert seen.min() > 0.7
    assert blind.max() < 0.01


def test_the_edge_moves_no_further_than_it_may() -> None:
    # The picture has its edge 60 px from where the mask has it: that is another thing's edge.
    picture = scene(1024, 1024, 300.0)
    coarse = np.asarray(cv2.resize(disc(1024, 1024, 240.0), (320, 320)), np.float32)
    alpha = matte.refine(picture.rgb, coarse)
    slack = matte.REACH + 2 * 4
    assert alpha[disc(1024, 1024, 240.0 + slack) == 0].max() == 0
    assert alpha[disc(1024, 1024, 240.0 - slack) == 1].min() == 1


def test_nan_in_the_mask_counts_as_background(photo: Scene) -> None:
    coarse = photo.coarse.copy()
    coarse[:40] = np.nan
    alpha = matte.refine(photo.rgb, coarse)
    assert np.isfinite(alpha).all()
    assert compare(alpha, photo.alpha).iou > 0.98


def test_a_mask_as_large_as_the_picture_is_taken_too(photo: Scene) -> None:
    alpha = matte.refine(photo.rgb, photo.alpha)
    assert compare(alpha, photo.alpha).iou > 0.99


def test_inputs_stay_as_they_were(photo: Scene) -> None:
    rgb, coarse = photo.rgb.copy(), photo.coarse.copy()
    rgb.setflags(write=False)
    coarse.setflags(write=False)
    matte.refine(rgb, coarse)
    assert np.array_equal(rgb, photo.rgb)
    assert np.array_equal(coarse, photo.coarse)


@pytest.mark.parametrize(
    ("value", "result"), [(-1, 0), (0.1, 0), (0.5, 0.5), (0.3, 0.15625), (0.9, 1), (7, 1)]
)
def test_smoothstep(value: float, result: float) -> None:
    values = np.full((2, 3), value, np.float32)
    assert matte.smoothstep(values, 0.1, 0.9) == pytest.approx(np.full((2, 3), result), abs=1e-6)
    assert values[0, 0] == np.float32(value)


def test_clamp_prefers_the_floor() -> None:
    values = np.array([0.5, 0.0, 1.0, 0.5], np.float32)
    floor = np.array([0.0, 0.2, 0.0, 0.8], np.float32)
    ceiling = np.array([1.0, 1.0, 0.7, 0.3], np.float32)
    assert matte.clamp(values, floor, ceiling).tolist() == pytest.approx([0.5, 0.2, 0.7, 0.8])
