"""The recogniser's score as a probability: a monotone table, kept as data."""

import tomllib
from dataclasses import dataclass
from importlib import resources

import numpy as np

from packshot.errors import ConfigurationError

#: Where the measured table lies, inside the package `models`.
TABLE = "data/ocr_calibration.toml"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Chance that a line is exactly right, by score; straight lines between the knots.

    Attributes:
        scores: rising from 0 to 1.
        probabilities: for each score, never falling, in [0, 1].

    Raises:
        ConfigurationError: the table breaks one of these rules.
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        scores, chances = np.array(self.scores), np.array(self.probabilities)
        if len(scores) != len(chances) or len(scores) < 2:
            raise ConfigurationError(
                "The calibration table needs as many probabilities as scores, two at least."
            )
        if not (scores[0] == 0.0 and scores[-1] == 1.0 and (np.diff(scores) > 0).all()):
            raise ConfigurationError("The calibration table's scores must rise from 0 to 1.")
        if not ((np.diff(chances) >= 0).all() and chances[0] >= 0 and chances[-1] <= 1):
            raise ConfigurationError(
                "The calibration table's probabilities must lie in 0 to 1 and never fall."
            )

    def probability(self, score: float) -> float:
        """The calibrated chance of a score in [0, 1]; a higher score never gives a lower one."""
        return float(np.interp(score, self.scores, self.probabilities))

    @classmethod
    def parse(cls, text: str) -> "Calibration":
        """Read a table from TOML with `[[knot]]` entries of `score` and `probability`.

        Raises:
            ConfigurationError: the text is no such table.
        """
        try:
            knots = tomllib.loads(text)["knot"]
            scores = tuple(float(knot["score"]) for knot in knots)
            return cls(scores, tuple(float(knot["probability"]) for knot in knots))
        except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"The calibration table of the text reader cannot be read ({error!r}): "
                "install Packshot again."
            ) from error

    @classmethod
    def load(cls) -> "Calibration":
        """The table that comes with the package."""
        path = resources.files("models").joinpath(TABLE)
        return cls.parse(path.read_text(encoding="utf-8"))
