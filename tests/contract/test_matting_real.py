"""The real net on pictures that are drawn here, with a known alpha."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.matting import Matter
from models.registry import Registry
from tests.benchmarks.matte_quality import colour_error, compare, unit

pytestmark = pytest.mark.models

SIZE = 900
#: Supersampling of the drawn outlines.
FINE = 4


@pytest.fixture(scope="module")
def matter(weights: Registry) -> Matter:
    return Matter(session=weights.session("u2netp", device="cpu"))


def outline(kind: str) -> NDArray[np.float32]:
    canvas = np.zeros((SIZE * FINE, SIZE * FINE), np.uint8)
    if kind == "bottle":
        y = np.linspace(120, 800, 200)
        half = np.interp(y, [120, 230, 330, 800], [48, 48, 130, 130])
        left = np.stack([450 - half, y], 1)
        right = np.stack([450 + half, y], 1)[::-1]
        cv2.fillPoly(canvas, [np.rint(np.concatenate([left, right]) * FINE).astype(np.int32)], 255)
    elif kind == "mug":
        cv2.rectangle(canvas, (250 * FINE, 280 * FINE), (600 * FINE, 700 * FINE), 255, -1)
        centre, axes = (600 * FINE, 490 * FINE), (110 * FINE, 130 * FINE)
        cv2.ellipse(canvas, centre, axes, 0, -90, 90, 255, 44 * FINE)
    else:
        cv2.circle(canvas, (450 * FINE, 450 * FINE), 270 * FINE, 255, -1)
    shrunk = cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.float32) / np.float32(255)


def draw(alpha: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A shaded thing with a label on a wooden table, and the thing's own colours."""
    noise = np.random.default_rng(5)
    grain = noise.normal(size=(SIZE // 4, 6, 1)).astype(np.float32)
    wood = cv2.resize(grain, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)[..., None]
    table = np.array([165, 135, 100], np.float32) + 14 * wood
    shade = np.linspace(1.15, 0.6, SIZE, dtype=np.float32)[None, :, None]
    thing = np.full((SIZE, SIZE, 3), (40, 80, 170), np.float32) * shade
    thing[430:560] = np.array([235, 230, 215], np.float32) * shade
    shadow = cv2.GaussianBlur(np.roll(alpha, (16, 12), (0, 1)), (0, 0), 18)[..., None]
    share = alpha[..., None]
    mixed = thing * share + table * (1 - 0.4 * shadow) * (1 - share)
    mixed += noise.normal(size=mixed.shape) * 2
    return np.clip(mixed, 0, 255).astype(np.uint8), np.clip(thing, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["ball", "bottle", "mug"])
def test_a_drawn_thing_is_found_and_cleaned(matter: Matter, kind: str) -> None:
    alpha = outline(kind)
    rgb, colours = draw(alpha)
    matted = matter.matte(rgb)
    errors = compare(unit(matted.alpha), alpha)
    assert errors.iou > 0.9
    assert errors.band < 0.1
    assert matted.confidence > 0.85
    assert matted.subjects == 1
    assert not matted.supplied
    before = colour_error(rgb, colours, alpha)
    after = colour_error(matted.cutout[..., :3], colours, np.minimum(alpha, unit(matted.alpha)))
    assert after < 0.6 * before


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(np.zeros((400, 600, 3), np.uint8), id="black"),
        pytest.param(np.full((400, 600, 3), 255, np.uint8), id="white"),
        pytest.param(np.full((400, 600, 3), (180, 20, 30), np.uint8), id="red"),
        pytest.param(
            np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8), id="noise"
        ),
        pytest.param(
            np.random.default_rng(0).integers(0, 4, (400, 600, 3), dtype=np.uint8), id="dark noise"
        ),
        pytest.param(
            np.broadcast_to(np.linspace(0, 255, 600).astype(np.uint8)[:, None], (400, 600, 3)),
            id="gradient",
        ),
    ],
)
def test_a_picture_of_nothing_gives_an_empty_matte(
    matter: Matter, picture: NDArray[np.uint8]
) -> None:
    matted = matter.matte(picture)
    assert not matted.alpha.any()
    assert matted.confidence == 0
    assert [signal.code for signal in matted.signals] == ["empty_matte"]


def test_the_example_warms_the_net_up(matter: Matter) -> None:
    matted = matter.matte(Matter.example())
    assert matted.coverage == pytest.approx(np.pi * 150**2 / (480 * 640), rel=0.05)
    assert matted.models[0].name == "u2netp"
