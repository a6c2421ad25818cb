"""Recognition with the weights that ship: pictures are drawn here, none is anybody's."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.recognition import (
    Categories,
    Lexicon,
    Recogniser,
    decode_embedding,
    similarity,
)
from models.registry import Registry

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def recogniser(weights: Registry) -> Recogniser:
    return Recogniser(
        classifier=weights.session("efficientnet-lite0"),
        categories=Categories.default(),
        lexicon=Lexicon.default(),
    )


def wall_clock() -> NDArray[np.uint8]:
    """A white dial with twelve marks and two hands on a beige wall."""
    picture = np.full((480, 640, 3), (222, 208, 180), dtype=np.uint8)
    cv2.circle(picture, (320, 240), 205, (40, 40, 40), -1, cv2.LINE_AA)
    cv2.circle(picture, (320, 240), 185, (250, 250, 248), -1, cv2.LINE_AA)
    for hour in range(1, 13):
        angle = np.deg2rad(30 * hour - 90)
        place = (int(320 + 150 * np.cos(angle)) - 14, int(240 + 150 * np.sin(angle)) + 12)
        cv2.putText(
            picture, str(hour), place, cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 20, 20), 2, cv2.LINE_AA
        )
    cv2.line(picture, (320, 240), (320, 120), (20, 20, 20), 6, cv2.LINE_AA)
    cv2.line(picture, (320, 240), (395, 285), (20, 20, 20), 9, cv2.LINE_AA)
    return picture


def test_a_drawn_clock_is_a_clock(recogniser: Recogniser) -> None:
    result = recogniser.recognise(wall_clock(), None)
    assert {"analog clock", "wall clock"} & {category.en for category in result.categories[:2]}
    assert result.categories[0].product


def test_probabilities_fall_and_stay_probabilities(recogniser: Recogniser) -> None:
    result = recogniser.recognise(Recogniser.example(), None)
    values = [category.probability for category in result.categories]
    assert values == sorted(values, reverse=True)
    assert 0 < sum(values) <= 1


def test_the_weights_are_named(recogniser: Recogniser) -> None:
    (info,) = recogniser.recognise(Recogniser.example(), None).models
    assert info.name == "efficientnet-lite0"
    assert info.licence == "Apache-2.0"


def test_a_changed_photo_stays_similar_and_another_thing_does_not(recogniser: Recogniser) -> None:
    def embed(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        return decode_embedding(recogniser.recognise(picture, None).embedding)

    clock = wall_clock()
    larger = np.asarray(cv2.resize(clock, (1600, 1200), interpolation=cv2.INTER_CUBIC), np.uint8)
    darker = (clock * 0.8).astype(np.uint8)
    first = embed(clock)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-3)
    assert similarity(first, embed(larger)) > 0.95
    assert similarity(first, embed(darker)) > 0.85
    assert similarity(first, embed(Recogniser.example())) < 0.6


def test_the_same_picture_gives_the_same_result(recogniser: Recogniser) -> None:
    assert recogniser.recognise(wall_clock(), None) == recogniser.recognise(wall_clock(), None)
