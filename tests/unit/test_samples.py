"""The sample photos are what their truth file says, and the generator still draws them."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tools.samples import draw
from tools.samples.catalogue import SHOTS
from tools.samples.labels import missing_fonts
from workers import samples
from workers.samples import Sample

#: The package carries them, so they must stay small (bytes).
_MOST = 2_500_000
_ORIENTATION, _GPS = 0x0112, 0x8825

each = pytest.mark.parametrize("sample", samples.truth(), ids=lambda sample: sample.file)


def _open(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def _upright(path: Path) -> NDArray[np.float64]:
    picture = ImageOps.exif_transpose(_open(path))
    return np.asarray(picture.convert("RGB"), np.float64)


def _alpha(sample: Sample) -> NDArray[np.float64]:
    return np.asarray(_open(sample.alpha_path), np.float64) / 255


def test_there_are_twelve_and_they_are_small() -> None:
    folder = samples.photos()[0].parent
    assert len(samples.photos()) == len(SHOTS) == 12
    assert sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) <= _MOST


def test_names_and_skus_are_unique() -> None:
    truth = samples.truth()
    assert len({sample.sku for sample in truth}) == len(truth)
    assert len({sample.file for sample in truth}) == len(truth)


@each
def test_the_sizes_are_those_after_the_exif_turn(sample: Sample) -> None:
    assert _upright(sample.path).shape == (sample.height, sample.width, 3)
    assert _alpha(sample).shape == (sample.height, sample.width)
    assert 1000 <= max(sample.width, sample.height) <= 1600


@each
def test_the_alpha_has_a_subject_and_an_edge(sample: Sample) -> None:
    alpha = _alpha(sample)
    assert 0.02 < alpha.mean() < 0.7
    assert ((alpha > 0.05) & (alpha < 0.95)).any()


@each
def test_the_text_lies_on_the_subject(sample: Sample) -> None:
    alpha = _alpha(sample)
    for line in sample.lines:
        if line.legible:
            polygon = np.round(np.array(line.polygon)).astype(np.int32)
            mask = cv2.fillPoly(np.zeros(alpha.shape, np.uint8), [polygon], 1)
            assert alpha[np.asarray(mask) > 0].min() > 0.5, line.text


@each
def test_the_text_can_be_told_from_its_ground(sample: Sample) -> None:
    grey = _upright(sample.path).mean(axis=2)
    for line in sample.lines:
        if line.legible:
            left, top = np.floor(np.min(line.polygon, axis=0)).astype(int)
            right, bottom = np.ceil(np.max(line.polygon, axis=0)).astype(int)
            inside = grey[max(top, 0) : bottom, max(left, 0) : right]
            assert np.percentile(inside, 98) - np.percentile(inside, 2) > 18, line.text


def test_the_kinds_of_trouble_are_there() -> None:
    truth = samples.truth()
    reasons = {reason for sample in truth for reason in sample.reasons}
    assert {"subject_cropped", "several_subjects", "blurred", "too_dark", "no_text"} <= reasons
    assert any(line.vertical for sample in truth for line in sample.lines)
    assert any(sample.model for sample in truth)
    assert {sample.route for sample in truth} == {"accepted", "review", "either"}


def test_one_photo_is_turned_and_says_where_it_was_taken() -> None:
    found = {sample.file: _open(sample.path).getexif() for sample in samples.truth()}
    turned = [name for name, exif in found.items() if exif.get(_ORIENTATION, 1) != 1]
    located = [name for name, exif in found.items() if exif.get_ifd(_GPS)]
    assert turned == located == ["hand_cream.jpg"]


def test_the_cropped_one_touches_the_right_border() -> None:
    sample = next(s for s in samples.truth() if "subject_cropped" in s.reasons)
    alpha = _alpha(sample)
    assert (alpha[:, -1] > 0.5).any()
    assert not (alpha[:, 0] > 0.5).any()


def test_a_folder_of_ones_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_bytes((samples.photos()[0].parent / "truth.json").read_bytes())
    first = samples.read(tmp_path)[0]
    assert first.path == tmp_path / first.file


@pytest.mark.parametrize("text", ["{}", "[{}]", "[{", '[{"file": 3}]'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "truth.json").write_text(text)
    with pytest.raises(ValueError, match="validation error"):
        samples.read(tmp_path)


@pytest.mark.skipif(bool(missing_fonts()), reason="the generator's fonts are not installed")
def test_the_generator_draws_what_ships() -> None:
    scale = 0.25
    shot = next(shot for shot in SHOTS if shot.name == "hand_cream")
    shipped = next(s for s in samples.truth() if s.file == "hand_cream.jpg")
    picture, alpha, lines = draw.draw(shot, scale)
    size = (alpha.shape[1], alpha.shape[0])
    expected = cv2.resize(_upright(shipped.path), size, interpolation=cv2.INTER_AREA)
    cover = np.asarray(cv2.resize(_alpha(shipped), size, interpolation=cv2.INTER_AREA))
    assert np.abs(alpha - cover).mean() < 0.004
    # Threads and grain are drawn anew at each size, so the table is left out.
    subject = cover > 0.99
    assert np.abs(picture * 255 - expected)[subject].mean() < 4
    assert [line["text"] for line in lines] == [line.text for line in shipped.lines]
    for line, truth in zip(lines, shipped.lines, strict=True):
        drift = np.array(line["polygon"]) - np.array(truth.polygon) * scale
        assert np.abs(drift).max() < 1


@pytest.mark.skipif(bool(missing_fonts()), reason="the generator's fonts are not installed")
def test_drawing_twice_gives_the_same_picture() -> None:
    shot = next(shot for shot in SHOTS if shot.name == "battery")
    first, second = draw.draw(shot, 0.1), draw.draw(shot, 0.1)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert first[2] == second[2]
