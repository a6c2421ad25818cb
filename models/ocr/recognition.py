"""From upright crops to text: the recognition net.

Every crop is padded to a width of its own and never to that of its neighbours, since what the net
reads depends a little on the padding. So a line's text is the same in any company.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from models.batched import run_each
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


def to_tensor(crop: Array) -> Array:
    """float32 (1, 3, 48, W), BGR, in [-1, 1]: the crop at the left, 0 to its right."""
    width = strip_width(crop)
    tensor = np.zeros((1, 3, HEIGHT, padded_width(width)), np.float32)
    small = cv2.resize(crop, (width, HEIGHT), interpolation=cv2.INTER_LINEAR)
    tensor[0, :, :, :width] = small[:, :, ::-1].transpose(2, 0, 1) * np.float32(1 / 127.5) - 1.0
    return tensor


class Recogniser:
    """The recognition net with its characters. Holds no state per call.

    Args:
        session: input float32 (n, 3, 48, W), output float32 (n, time, classes) of probabilities.
        charset: the net's characters in class order, without blank and space.
    """

    def __init__(self, session: Session, charset: tuple[str, ...]) -> None:
        self._session = session
        self._input = session.inputs[0].name
        self._decoder = CtcDecoder(charset, classes=session.outputs[0].shape[-1])

    def recognise(self, crops: Sequence[Array]) -> list[Reading]:
        """Read uint8 (h, w, 3) crops, which may come from many photos; answers in their order."""
        feeds = [{self._input: to_tensor(crop)} for crop in crops]
        answers = run_each(self._session, feeds)
        return [self._decoder.decode(chances)[0] for chances, *_ in answers]
