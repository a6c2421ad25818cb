"""From pixels to class probabilities and an embedding (EfficientNet-Lite0)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.recognition.categories import CLASS_COUNT, Categories, Label
from models.session import Session
from packshot.errors import ModelFailure
from packshot.imaging.scale import halved, shrink
from packshot.results import Category

#: Pixels of the classifier's square input.
SIDE = 224

#: Share of the short side that is kept. Measured with the other constants here on 473 shop
#: photos: top-1 75.9 % (full crop 74.8 %, squeezed 73.6 %).
CROP = 0.875

#: The network's own scaling, (x - 127) / 128. The ImageNet mean and deviation that are often
#: given for these weights cost 13 points of top-1.
MEAN, SCALE = 127.0, 128.0

#: Above this factor a large crop is first shrunk to this multiple of the input by area averaging,
#: which is cheap; the last step stays bicubic with the kernel widened to what it covers. OpenCV's
#: bicubic does not widen it: on 27 photos that moved probabilities by up to 0.13.
AREA_FIRST = 3.0

#: Share of that multiple which is as good, where halving the crop ends there: it is far cheaper.
NEARLY = 0.95

#: Guesses that go into the result.
TOP = 5


@dataclass(frozen=True, slots=True)
class Classified:
    """What the classifier says about one picture.

    `categories` are the `TOP` best, best first, and `labels` the same classes; `product_mass` is
    the probability of all classes that are goods together, `group` and `group_mass` the likeliest
    product group and its probability; `embedding` is float32 of shape (1280,), not scaled.
    """

    categories: tuple[Category, ...]
    labels: tuple[Label, ...]
    product_mass: float
    group: str
    group_mass: float
    embedding: NDArray[np.float32]


class Classifier:
    """One loaded classifier. Thread-safe when its session is."""

    def __init__(self, session: Session, categories: Categories) -> None:
        self._session = session
        self._categories = categories
        self._product = np.array([label.product for label in categories])
        groups = [label.group for label in categories]
        self._group_names = sorted(set(groups))
        self._group_of = np.array([self._group_names.index(group) for group in groups])

    def classify(self, rgb: NDArray[np.uint8]) -> Classified:
        """Classify one picture.

        Args:
            rgb: uint8, shape (height, width, 3), at least one pixel.

        Raises:
            ModelFailure: the runtime failed, or answered something that is no probability.
        """
        feed = {"image": preprocess(rgb)[np.newaxis]}
        probs, embedding = self._session.run(feed, ("probs", "embedding"))
        scores = _checked(probs)
        best = np.argsort(-scores, kind="stable")[:TOP]
        groups = np.bincount(self._group_of, weights=scores, minlength=len(self._group_names))
        group = int(groups.argmax())
        return Classified(
            categories=tuple(self._category(int(index), float(scores[index])) for index in best),
            labels=tuple(self._categories[int(index)] for index in best),
            product_mass=min(float(scores[self._product].sum()), 1.0),
            group=self._group_names[group],
            group_mass=min(float(groups[group]), 1.0),
            embedding=np.asarray(embedding, dtype=np.float32)[0],
        )

    def _category(self, index: int, probability: float) -> Category:
        label = self._categories[index]
        return Category(
            id=index,
            en=label.en,
            zh=label.zh,
            probability=round(probability, 6),
            product=label.product,
        )


def preprocess(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Crop the centre, shrink to 224 x 224 and scale.

    Args:
        rgb: uint8, shape (height, width, 3), at least one pixel.

    Returns:
        float32, shape (3, 224, 224), about [-1, 1].
    """
    height, width = rgb.shape[:2]
    side = max(1, round(min(height, width) * CROP))
    top, left = (height - side) // 2, (width - side) // 2
    crop = rgb[top : top + side, left : left + side]
    middle = round(SIDE * AREA_FIRST)
    least = round(middle * NEARLY)
    crop = halved(crop, least, least)
    if len(crop) > middle:
        crop = shrink(crop, middle, middle)
    image = Image.fromarray(np.ascontiguousarray(crop))
    small = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    scaled = (small.astype(np.float32) - MEAN) / SCALE
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def _checked(probs: NDArray[np.float32]) -> NDArray[np.float64]:
    scores = np.asarray(probs, dtype=np.float64)
    if scores.shape != (1, CLASS_COUNT):
        raise ModelFailure(
            f"The classifier answered shape {scores.shape} instead of (1, {CLASS_COUNT}): "
            "install the weights again with `packshot models pull`."
        )
    row: NDArray[np.float64] = scores[0]
    # NaN fails both comparisons, so this also catches weights that overflowed.
    if not (row.min() >= 0 and abs(row.sum() - 1) < 0.01):
        raise ModelFailure(
            "The classifier answered numbers that are no probabilities: check the weights with "
            "`packshot models verify`."
        )
    return row
