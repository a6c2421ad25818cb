from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from models.matting import Matter
from models.matting.u2net import MEAN, STD
from models.session import Array, TensorSpec
from packshot.errors import OutOfMemory
from packshot.results import ModelInfo
from tests.benchmarks.matte_quality import compare, unit
from tests.unit.matting.conftest import Scene, disc, levels, scene

INFO = ModelInfo(name="red", version="1", sha256="0" * 64, licence="Apache-2.0")


class RedIsSalient:
    """A session that takes red for salient, as blurred as a real net's answer."""

    info = INFO
    inputs = (TensorSpec("input.1", (1, 3, 320, 320), "float32"),)
    outputs = (
        TensorSpec("d0", (1, 1, 320, 320), "float32"),
        TensorSpec("d1", (1, 1, 320, 320), "float32"),
    )
    providers = ("CPUExecutionProvider",)

    def __init__(self) -> None:
        self.calls = 0

    def run(self, feed: Mapping[str, Array], wanted: Sequence[str] | None = None) -> list[Array]:
        assert wanted == ["d0"]
        self.calls += 1
        rgb = feed["input.1"][0].transpose(1, 2, 0) * STD + MEAN
        redness = np.clip(4 * (rgb[..., 0] - rgb[..., 1]), 0, 1).astype(np.float32)
        return [cv2.GaussianBlur(redness, (0, 0), 2.0)[None, None]]


class Full(RedIsSalient):
    def run(self, feed: Mapping[str, Array], wanted: Sequence[str] | None = None) -> list[Array]:
        raise OutOfMemory("The device has no room for this picture.")


def test_the_subject_is_cut_out(photo: Scene) -> None:
    matted = Matter(session=RedIsSalient()).matte(photo.rgb)
    assert compare(unit(matted.alpha), photo.alpha).iou > 0.99
    assert matted.cutout.shape == (*photo.alpha.shape, 4)
    assert matted.coverage == pytest.approx(photo.alpha.mean(), rel=0.02)
    assert matted.box is not None
    assert abs(matted.box.left - 190) <= 3
    assert (matted.subjects, matted.touches, matted.supplied) == (1, (), False)
    assert matted.confidence > 0.85
    assert matted.signals == ()
    assert matted.models == (INFO,)


def test_the_photo_stays_as_it_was(photo: Scene) -> None:
    rgb = photo.rgb.copy()
    rgb.setflags(write=False)
    Matter(session=RedIsSalient()).matte(rgb)
    assert np.array_equal(rgb, photo.rgb)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_photo_is_empty_and_says_so(level: int) -> None:
    matted = Matter(session=RedIsSalient()).matte(np.full((200, 300, 3), level, np.uint8))
    assert not matted.alpha.any()
    assert not matted.cutout.any()
    assert matted.box is None
    assert matted.confidence == 0
    assert [signal.code for signal in matted.signals] == ["empty_matte"]


def test_a_meaningful_alpha_of_the_photo_is_taken(photo: Scene) -> None:
    session = RedIsSalient()
    supplied = levels(disc(633, 801, 100.0))
    matted = Matter(session=session).matte(photo.rgb, supplied)
    assert session.calls == 0
    assert matted.supplied
    assert matted.models == ()
    assert np.array_equal(matted.alpha, supplied)
    assert np.array_equal(matted.cutout[..., 3], supplied)
    seen = supplied > 0
    assert np.array_equal(matted.cutout[seen, :3], photo.rgb[seen])
    assert matted.confidence > 0.85


@pytest.mark.parametrize(
    "level", [pytest.param(255, id="opaque"), pytest.param(0, id="all clear"), 253, 1]
)
def test_an_alpha_that_says_nothing_is_not_taken(photo: Scene, level: int) -> None:
    session = RedIsSalient()
    supplied = np.full(photo.alpha.shape, level, np.uint8)
    matted = Matter(session=session).matte(photo.rgb, supplied)
    assert session.calls == 1
    assert not matted.supplied


def test_an_alpha_of_another_size_is_refused(photo: Scene) -> None:
    with pytest.raises(ValueError, match=r"\(10, 10\)"):
        Matter(session=RedIsSalient()).matte(photo.rgb, np.zeros((10, 10), np.uint8))


def test_a_cropped_subject_is_told() -> None:
    picture = scene(600, 600, 200.0)
    matted = Matter(session=RedIsSalient()).matte(np.ascontiguousarray(picture.rgb[:450]))
    assert matted.touches == ("bottom",)
    assert "subject_cropped" in [signal.code for signal in matted.signals]


def test_errors_of_the_session_come_through(photo: Scene) -> None:
    with pytest.raises(OutOfMemory):
        Matter(session=Full()).matte(photo.rgb)


def test_many_threads_get_the_same_answer(photo: Scene) -> None:
    matter = Matter(session=RedIsSalient())
    expected = matter.matte(photo.rgb).cutout
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: matter.matte(photo.rgb).cutout, range(8)))
    assert all(np.array_equal(result, expected) for result in results)


def test_the_example_is_a_photo_of_something() -> None:
    example = Matter.example()
    assert example.dtype == np.uint8
    assert example.shape == (480, 640, 3)
    assert np.ptp(example) > 0
