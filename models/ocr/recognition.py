"""From upright crops to text: the recognition net, fed with crops of similar width together."""

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from models.ocr.ctc import CtcDecoder, Reading
from models.session import Array, Session

#: The net reads strips of this height (pixels).
HEIGHT = 48
#: Narrower strips are padded to this (pixels): the net was trained at this width and invents
#: characters on less.
MIN_WIDTH = 320
#: Wider strips are squeezed to this (pixels, about 130 Latin letters): bounds memory, and keeps
#: the number of different input shapes small.
MAX_WIDTH = 3200
#: Widths are rounded up to a multiple of this (pixels), so that few different shapes occur.
WIDTH_STEP = 32


def strip_width(crop: Array) -> int:
    """Width of a crop when it is scaled to the net's height, within `MAX_WIDTH` (pixels)."""
    height, width = crop.shape[:2]
    return min(MAX_WIDTH, max(1, math.ceil(HEIGHT * int(width) / int(height))))


def padded_width(width: int) -> int:
    """The input width that a strip of `width` pixels is given."""
    return max(MIN_WIDTH, math.ceil(width / WIDTH_STEP) * WIDTH_STEP)


def to_tensor(crops: Sequence[Array]) -> Array:
    """float32 (n, 3, 48, W), BGR, in [-1, 1]: each crop at the left, 0 to its right."""
    widths = [strip_width(crop) for crop in crops]
    tensor = np.zeros((len(crops), 3, HEIGHT, padded_width(max(widths))), np.float32)
    for item, crop, width in zip(tensor, crops, widths, strict=True):
        small = cv2.resize(crop, (width, HEIGHT), interpolation=cv2.INTER_LINEAR)
        item[:, :, :width] = small[:, :, ::-1].transpose(2, 0, 1) * np.float32(1 / 127.5) - 1.0
    return tensor


class Recogniser:
    """The recognition net with its characters. Holds no state per call.

    Args:
        session: input float32 (n, 3, 48, W), output float32 (n, time, classes) of probabilities.
        charset: the net's characters in class order, without blank and space.
        batch: crops per call; 1 is best on a CPU, where batching gains nothing.
    """

    def __init__(self, session: Session, charset: tuple[str, ...], *, batch: int) -> None:
        self._session = session
        self._batch = batch
        self._input = session.inputs[0].name
        self._decoder = CtcDecoder(charset, classes=session.outputs[0].shape[-1])

    def recognise(self, crops: Sequence[Array]) -> list[Reading]:
        """Read uint8 (h, w, 3) crops, which may come from many photos; answers in their order."""
        readings = [Reading("", 0.0)] * len(crops)
        for chosen in self._batches(crops):
            tensor = to_tensor([crops[index] for index in chosen])
            chances = self._session.run({self._input: tensor})[0]
            for index, reading in zip(chosen, self._decoder.decode(chances), strict=True):
                readings[index] = reading
        return readings

    def _batches(self, crops: Sequence[Array]) -> Iterator[list[int]]:
        # Sorted by width, a batch holds strips of like width and little padding.
        by_width = sorted(range(len(crops)), key=lambda index: strip_width(crops[index]))
        for start in range(0, len(by_width), self._batch):
            yield by_width[start : start + self._batch]
