"""Picture in, lines of text out: the OCR stage as one object that many threads share."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from models.ocr.calibration import Calibration
from models.ocr.ctc import Reading
from models.ocr.detection import DetectionOptions, Detector, Region
from models.ocr.geometry import crop, is_tall, own_corners, turn_over
from models.ocr.order import direction, reading_order
from models.ocr.orientation import POSSIBLE, SURE, Orientation
from models.ocr.recognition import Recogniser
from models.ocr.script import STACKED, script_of
from models.ocr.unsupported import PROBABILITY_LIMIT, PROOF, Evidence, evidence, unsupported_script
from models.session import Array, Session
from packshot.results import ModelInfo, Point, TextLine, TextResult

#: A reading below this score is worth a second look; upright lines in print score above it.
WEAK = 0.95


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """How a reader works.

    Attributes:
        detection: size and thresholds of the detector.
        text_score: lines with a lower score are left out; nothing below it was ever right.
        recognition_batch: crops per call of the recogniser; 1 on a CPU, more on a GPU.
        orientation_batch: crops per call of the orientation net.
    """

    detection: DetectionOptions = field(default_factory=DetectionOptions)
    text_score: float = 0.5
    recognition_batch: int = 1
    orientation_batch: int = 8


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One line, cut out and turned upright.

    Attributes:
        image: uint8 (h, w, 3), as the recogniser wants it.
        region: the box that it was cut from.
        turned: it was turned by a quarter counter-clockwise.
        flipped: it was turned by 180 degrees, after that.
        doubtful: the orientation net leaves room for the other way up.
    """

    image: Array
    region: Region
    turned: bool
    flipped: bool
    doubtful: bool

    @property
    def aspect(self) -> float:
        """Width over height of the upright image."""
        return float(self.image.shape[1] / self.image.shape[0])

    def other_way_up(self) -> "Crop":
        """The same crop, turned by 180 degrees."""
        return replace(self, image=turn_over(self.image), flipped=not self.flipped)


class TextReader:
    """Reads the text in a picture with three shared sessions; no state per call.

    `read` does everything. `crops`, `recognise` and `assemble` are its parts, so that the crops
    of many pictures can be recognised together.
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
        self._orientation = Orientation(orientation, batch=self._options.orientation_batch)
        self._recogniser = Recogniser(recogniser, charset, batch=self._options.recognition_batch)
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
        """Every line of a picture, cut out and turned upright."""
        regions = self.detect(rgb)
        images = [crop(rgb, region.quad) for region in regions]
        chances = self._orientation.chances(images)
        return [
            _upright(image, region, chance)
            for image, region, chance in zip(images, regions, chances, strict=True)
        ]

    def recognise(self, crops: Sequence[Array]) -> list[Reading]:
        """Read upright crops, which may come from many pictures; answers in their order."""
        return self._recogniser.recognise(crops)

    def second_look(
        self, crops: Sequence[Crop], readings: Sequence[Reading]
    ) -> tuple[list[Crop], list[Reading]]:
        """Read doubtful crops the other way up too where the first reading is weak.

        The orientation net errs on short and square crops, and a line read upside down is lost.

        Returns:
            The crops and readings, with the better way up of each.
        """
        again = [
            index
            for index, (item, reading) in enumerate(zip(crops, readings, strict=True))
            if item.doubtful and reading.score < WEAK
        ]
        best_crops, best = list(crops), list(readings)
        turned = [crops[index].other_way_up() for index in again]
        seconds = self.recognise([item.image for item in turned])
        for index, item, reading in zip(again, turned, seconds, strict=True):
            # A lone 6 is a good 9: for one character the net's opinion stands.
            if len(reading.text) > 1 and reading.score > best[index].score:
                best_crops[index], best[index] = item, reading
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


def _upright(image: Array, region: Region, chance: float) -> Crop:
    flipped = chance > SURE
    return Crop(
        image=turn_over(image) if flipped else image,
        region=region,
        turned=is_tall(region.quad),
        flipped=flipped,
        doubtful=chance > POSSIBLE,
    )


def _polygon(quad: Array, size: tuple[int, int]) -> tuple[Point, Point, Point, Point]:
    height, width = size
    clipped = np.clip(quad, 0, (width, height)).astype(float).round(1)
    first, second, third, fourth = ((float(x), float(y)) for x, y in clipped)
    return first, second, third, fourth
