"""Packshot's own sample photos: twelve drawn product pictures and what is true about each.

They are drawn by `tools/samples` (nothing in them is a photograph, every brand is made up) and
dedicated to the public domain (CC0-1.0). Because they are drawn, text, outline and alpha are known
exactly, which makes them a first measure of accuracy as well as something to try Packshot on.
"""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

_HERE = Path(__file__).parent

Language = Literal["en", "zh", "mixed", "digits"]
Route = Literal["accepted", "review", "either"]


class Line(BaseModel):
    """One printed line.

    `polygon` is in pixels of the picture after the EXIF turn, clockwise from the text's own top
    left; four points on a flat face, more on a curved one. A line that is not `legible` is there
    (small print, out of focus) but neither has to be read nor counts as false when it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    polygon: tuple[tuple[float, float], ...] = Field(min_length=4)
    language: Language
    vertical: bool = False
    legible: bool = True


class Sample(BaseModel):
    """One picture and its truth.

    `width` and `height` are after the EXIF turn. `top1` and `top5` are ImageNet class ids
    (0..999): the first guess is right when it is in `top1`, the first five when one is in `top5`.
    `brand` holds every accepted spelling, empty when no brand can be seen. `alpha` names an 8-bit
    grey PNG of the same size. `route` is where a flawless
    system would send it, `reasons` are the signals that it would raise on the way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    sku: str
    width: int
    height: int
    lines: tuple[Line, ...]
    brand: tuple[str, ...]
    model: str | None
    top1: tuple[int, ...]
    top5: tuple[int, ...]
    alpha: str
    route: Route
    reasons: tuple[str, ...] = ()
    notes: str = ""
    licence: str
    folder: Path = Field(default=_HERE, exclude=True)

    @property
    def path(self) -> Path:
        """Where the picture lies."""
        return self.folder / self.file

    @property
    def alpha_path(self) -> Path:
        """Where its true alpha lies."""
        return self.folder / self.alpha


_SAMPLES = TypeAdapter(tuple[Sample, ...])


def photos() -> list[Path]:
    """The pictures, in the order of the truth file."""
    return [sample.path for sample in truth()]


@cache
def truth() -> tuple[Sample, ...]:
    """What is true about each picture of this package."""
    return read(_HERE)


def read(folder: Path) -> tuple[Sample, ...]:
    """Read the `truth.json` of any folder of samples.

    Raises:
        ValueError: the file is not of this form (pydantic's message says where).
        OSError: it cannot be read.
    """
    samples = _SAMPLES.validate_json((folder / "truth.json").read_bytes())
    return tuple(sample.model_copy(update={"folder": folder}) for sample in samples)
