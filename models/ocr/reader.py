"""Picture in, lines of text out: the OCR stage as one object that many threads share."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from models.ocr.calibration import Calibration
from models.ocr.ctc import Reading
from models.ocr.detection import DetectionOptions, Detector, Region
from models.ocr.geometry import Scissors, is_tall, own_corners, turn_over
from models.ocr.order import direction, reading_order
from models.ocr.orientation import POSSIBLE, SURE, Orientation
from models.ocr.recognition import Recogniser
from models.ocr.script import STACKED, script_of
from models.ocr.unsupported import PROBABILITY_LIMIT, PROOF, Evidence, evidence, unsupported_script
from models.session import Array, Session
from packshot.results import ModelInfo, Point, TextLine, TextResult

#: A reading below this score is worth a second look; upright lines in print score above it.
WEAK = 0.95
#: A shorter reading may say the same on its head: 69, SOS, oo.
SHORT = 4


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """How a reader works.

    Attributes:
        detection: size and thresholds of the detector.
        text_score: lines with a lower score are left out; nothing below it was ever right.
    """

    detection: DetectionOptions = field(default_factory=DetectionOptions)
    text_score: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One line, cut out and turned upright.

    Attributes:
        image: uint8 (h, w, 3), as the recogniser wants it.
        region: the box that it was cut from.
        turned: it was turned by a quarter counter-clockwise.
        flipped: it was turned by 180 degrees, after that.
    """

    image: Array
    region: Region
    turned: bool
    flipped: bool = False

    @property
    def aspect(self) -> float:
        """Width over height of the upright image."""
        return float(self.image.shape[1] / self.image.shape[0])

    def other_way_up(self) -> "Crop":
        """The same crop, turned by 180 degrees."""
        return replace(self, image=turn_over(self.image), flipped=not self.flipped)


class TextReader:
    """Reads the text in a picture with three shared sessions; no state per call.

    `read` does everything. Where the sessions gather what many threads run (`models.batched`), the
    crops of many pictures are recognised together, and nobody's text depends on that.
    """

    def __init__(
        self,
        *,
        detector: Session,
        orientation: Session,
        recogniser: Session,
        charset: tuple[str, ...],
        options: ReaderOptions | None = None,
    ) -> None:
        self._options = options or ReaderOptions()
        self._detector = Detector(detector, self._options.detection)
        self._orientation = Orientation(orientation)
        self._recogniser = Recogniser(recogniser, charset)
        self._calibration = Calibration.load()
        self._models: tuple[ModelInfo, ...] = (detector.info, orientation.info, recogniser.info)

    def read(self, rgb: Array) -> TextResult:
        """Read a uint8 (H, W, 3) picture of any size; one without text gives no lines."""
        crops = self.crops(rgb)
        readings = self.recognise([item.image for item in crops])
        crops, readings = self.second_look(crops, readings)
        return self.assemble(crops, readings, size=(rgb.shape[0], rgb.shape[1]))

    def detect(self, rgb: Array) -> list[Region]:
        """Where the lines are, in no particular order."""
        return self._detector.detect(rgb)

    def crops(self, rgb: Array) -> list[Crop]:
        """Every line of a picture, cut out; tall ones are turned by a quarter."""
        scissors = Scissors(rgb)
        return [
            Crop(image=scissors.cut(region.quad), region=region, turned=is_tall(region.quad))
            for region in self.detect(rgb)
        ]

    def recognise(self, crops: Sequence[Array]) -> list[Reading]:
        """Read upright crops, which may come from many pictures; answers in their order."""
        return self._recogniser.recognise(crops)

    def second_look(
        self, crops: Sequence[Crop], readings: Sequence[Reading]
    ) -> tuple[list[Crop], list[Reading]]:
        """Turn the crops over that stand on their head, and read those again.

        Long readings that are sure of themselves are upright: nothing reads well on its head. Of
        the others the orientation net is asked, which errs on short and square crops; where it
        leaves room for both ways, or the way that it prefers reads badly, the better one counts.

        Returns:
            The crops and readings, with the better way up of each.
        """
        unsure = [
            place
            for place, (text, score) in enumerate(readings)
            if score < WEAK or len(text) < SHORT
        ]
        chances = self._orientation.chances([crops[place].image for place in unsure])
        again = {
            place: chance
            for place, chance in zip(unsure, chances, strict=True)
            if chance > SURE or (chance > POSSIBLE and readings[place].score < WEAK)
        }
        best_crops, best = list(crops), list(readings)
        over = [crops[place].other_way_up() for place in again]
        seconds = self.recognise([item.image for item in over])
        for (place, chance), item, reading in zip(again.items(), over, seconds, strict=True):
            if _is_better(reading, best[place], preferred=chance > SURE):
                best_crops[place], best[place] = item, reading
        return best_crops, best

    def assemble(
        self, crops: Sequence[Crop], readings: Sequence[Reading], *, size: tuple[int, int]
    ) -> TextResult:
        """Put the lines of one picture in order and judge them.

        Args:
            crops: from `crops`.
            readings: for each crop.
            size: height and width of the picture.

        Returns:
            Lines at or above the floor. The confidence is the mean probability of their
            characters, so a long line weighs more than a short one.
        """
        verdicts = [
            evidence(reading, aspect=item.aspect, certainty=item.region.score)
            for item, reading in zip(crops, readings, strict=True)
        ]
        kept = [
            (item, reading, verdict)
            for item, reading, verdict in zip(crops, readings, verdicts, strict=True)
            if reading.score >= self._options.text_score and reading.text.strip()
        ]
        lines = [self._line(item, reading, verdict, size) for item, reading, verdict in kept]
        order = reading_order(
            [item.region.quad for item, _, _ in kept],
            [direction(np.array(line.polygon), column=line.vertical) for line in lines],
        )
        ordered = tuple(lines[index] for index in order)
        signal = unsupported_script(verdicts)
        return TextResult(
            lines=ordered,
            confidence=confidence(ordered),
            signals=(signal,) if signal else (),
            models=self._models,
        )

    def _line(
        self, item: Crop, reading: Reading, verdict: Evidence | None, size: tuple[int, int]
    ) -> TextLine:
        script = script_of(reading.text)
        column = item.turned and not item.flipped and script in STACKED
        own = own_corners(item.region.quad, turned=item.turned and not column, flipped=item.flipped)
        probability = self._calibration.probability(reading.score)
        return TextLine(
            polygon=_polygon(own, size),
            text=reading.text.strip(),
            score=reading.score,
            probability=min(probability, PROBABILITY_LIMIT) if verdict in PROOF else probability,
            script=script,
            vertical=column,
        )

    @classmethod
    def example(cls) -> Array:
        """A small drawn picture with text, uint8 (240, 480, 3): for the warm-up."""
        picture = np.full((240, 480, 3), 245, np.uint8)
        for place, text in enumerate(("PACKSHOT", "Net weight 500 g")):
            cv2.putText(
                picture, text, (30, 90 + 80 * place), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (20, 20, 20), 3
            )
        return picture


def confidence(lines: Sequence[TextLine]) -> float | None:
    """Mean probability of the lines, weighted by their length; None without lines."""
    if not lines:
        return None
    weights = [len(line.text) for line in lines]
    return float(np.average([line.probability for line in lines], weights=weights))


def _is_better(reading: Reading, other: Reading, *, preferred: bool) -> bool:
    """Whether a reading counts instead of the one the other way up; the net prefers one of them."""
    if not preferred:
        return not _is_better(other, reading, preferred=True)
    # A lone 6 is a good 9: for one character the net's opinion stands.
    return reading.score >= WEAK or len(other.text) <= 1 or reading.score >= other.score


def _polygon(quad: Array, size: tuple[int, int]) -> tuple[Point, Point, Point, Point]:
    height, width = size
    clipped = np.clip(quad, 0, (width, height)).astype(float).round(1)
    first, second, third, fourth = ((float(x), float(y)) for x, y in clipped)
    return first, second, third, fourth
