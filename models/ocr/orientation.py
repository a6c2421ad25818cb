"""Which crops stand on their head: a small net that tells 0 from 180 degrees."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from models.batched import run_each
from models.session import Array, Session

#: What the net was trained on (pixels).
HEIGHT, WIDTH = 48, 192
#: A crop is turned only when the net is this sure: most labels stand upright.
SURE = 0.9
#: From this chance on the other way up deserves a look where the first one read badly.
POSSIBLE = 0.3


def to_tensor(crops: Sequence[Array]) -> Array:
    """float32 (n, 3, 48, 192), BGR, in [-1, 1]: each crop at the left, 0 to its right."""
    tensor = np.zeros((len(crops), 3, HEIGHT, WIDTH), np.float32)
    for item, crop in zip(tensor, crops, strict=True):
        width = min(WIDTH, math.ceil(HEIGHT * crop.shape[1] / crop.shape[0]))
        small = cv2.resize(crop, (width, HEIGHT), interpolation=cv2.INTER_LINEAR)
        item[:, :, :width] = small[:, :, ::-1].transpose(2, 0, 1) * np.float32(1 / 127.5) - 1.0
    return tensor


class Orientation:
    """The orientation net. Holds no state per call."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._input = session.inputs[0].name

    def chances(self, crops: Sequence[Array]) -> list[float]:
        """For each uint8 (h, w, 3) crop the chance that it stands on its head."""
        feeds = [{self._input: to_tensor([crop])} for crop in crops]
        return [float(answer[0][0, 1]) for answer in run_each(self._session, feeds)]
