"""The pictures of an item, out of the object store."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from packshot.imaging.decode import Limits, decode
from packshot.imaging.encode import encode, load_grey
from packshot.store.blobs import BlobStore
from packshot.store.examples import Example

#: Quality of a PNG: it has none.
LOSSLESS = 100


@dataclass(frozen=True, slots=True)
class Pixels:
    """Reads pictures as the models saw them: turned upright and in the size of the polygons."""

    blobs: BlobStore
    limits: Limits

    def photo(self, example: Example) -> NDArray[np.uint8]:
        """The working image, RGB uint8 H x W x 3. Raises `NotFound` when it is gone."""
        return decode(self.blobs.get(example.result["photo"]["work_key"]), self.limits).rgb

    def alpha(self, example: Example) -> NDArray[np.uint8]:
        """The alpha matte, uint8 H x W. Raises `NotFound` when it is gone."""
        return load_grey(self.blobs.get(example.result["matte"]["alpha_key"]))


def png(picture: NDArray[np.uint8]) -> bytes:
    """A picture without loss: the photo's own bytes may be turned by EXIF, which readers ignore."""
    return encode(picture, "png", LOSSLESS)
