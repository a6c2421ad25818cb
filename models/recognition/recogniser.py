"""What the product is, which colours it has, and which brand and model its text names."""

import numpy as np
from numpy.typing import NDArray

from models.recognition.brand import find_brand
from models.recognition.categories import Categories
from models.recognition.classifier import Classifier
from models.recognition.colours import dominant_colours
from models.recognition.confidence import judge
from models.recognition.embedding import encode_embedding
from models.recognition.lexicon import Lexicon
from models.recognition.model_number import find_model
from models.session import Session
from packshot.results import Recognition, TextResult


class Recogniser:
    """Recognition of one picture. Thread-safe: many callers may share one."""

    def __init__(self, *, classifier: Session, categories: Categories, lexicon: Lexicon) -> None:
        """Take what is shared.

        Args:
            classifier: EfficientNet-Lite0: "image" float32 (n, 3, 224, 224) to "probs" (n, 1000)
                and "embedding" (n, 1280).
            categories: names of the classes.
            lexicon: known brands.
        """
        self._session = classifier
        self._classifier = Classifier(classifier, categories)
        self._lexicon = lexicon

    def recognise(self, rgb: NDArray[np.uint8], text: TextResult | None) -> Recognition:
        """Say what is in the picture.

        Args:
            rgb: uint8, shape (height, width, 3); not modified.
            text: what was read on it; None where the ocr step was not asked for.

        Raises:
            ModelFailure: the classifier failed.
            OutOfMemory: the device has no room.
        """
        lines = text.lines if text else ()
        classified = self._classifier.classify(rgb)
        brand = find_brand(lines, self._lexicon)
        model = find_model(lines)
        verdict = judge(classified, brand=brand, model=model, lines=lines)
        return Recognition(
            categories=classified.categories,
            embedding=encode_embedding(classified.embedding),
            colours=dominant_colours(rgb),
            brand=brand,
            model=model,
            confidence=verdict.confidence,
            signals=verdict.signals,
            models=(self._session.info,),
        )

    @classmethod
    def example(cls) -> NDArray[np.uint8]:
        """A picture to warm up with: uint8, shape (480, 640, 3), an orange disc on light grey."""
        rows, columns = np.mgrid[:480, :640]
        picture = np.full((480, 640, 3), 225, dtype=np.uint8)
        picture[(rows - 240) ** 2 + (columns - 320) ** 2 < 160**2] = (236, 138, 32)
        return picture
