"""From the recogniser's output to text (CTC, Graves et al. 2006): greedy, one pass, vectorised."""

from typing import NamedTuple

import numpy as np

from models.session import Array
from packshot.errors import ConfigurationError

#: Class 0 of the net is CTC's blank; the last class is the space, which no charset lists.
BLANK = 0


class Reading(NamedTuple):
    """What a crop says; `score` is the mean chance of its characters, 0 where it says nothing."""

    text: str
    score: float


class CtcDecoder:
    """Greedy decoder for one charset.

    Args:
        charset: the characters in class order, without blank and space.
        classes: how many classes the net answers, -1 where it does not say.

    Raises:
        ConfigurationError: the charset does not belong to this net.
    """

    def __init__(self, charset: tuple[str, ...], *, classes: int = -1) -> None:
        self._table = np.array(["", *charset, " "], dtype=object)
        if classes not in {-1, len(self._table)}:
            raise ConfigurationError(
                f"The recogniser answers {classes} classes but its character list makes "
                f"{len(self._table)}: pull the models again."
            )

    def decode(self, chances: Array) -> list[Reading]:
        """Decode float32 (batch, time, classes) of probabilities: one reading per item.

        The likeliest class of each time step is taken; repeats are merged, blanks dropped.
        """
        best = chances.argmax(axis=2)
        score = np.take_along_axis(chances, best[:, :, None], axis=2)[:, :, 0]
        kept = best != BLANK
        kept[:, 1:] &= best[:, 1:] != best[:, :-1]
        return [
            self._reading(row[keep], marks[keep])
            for row, marks, keep in zip(best, score, kept, strict=True)
        ]

    def _reading(self, classes: Array, scores: Array) -> Reading:
        if classes.size == 0:
            return Reading("", 0.0)
        return Reading("".join(self._table[classes]), min(1.0, float(scores.mean())))
