"""What each step found out: frozen values that go into the ledger as JSON.

Coordinates are pixels of the working image (after EXIF rotation), x to the right, y down.
Probabilities and confidences are in [0, 1].
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Point = tuple[float, float]


class _Frozen(BaseModel):
    # A later release may have written more: while it is rolled out, both work on the same jobs.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Signal(_Frozen):
    """Something a rule noticed: the reasons for review are made of these.

    `value` and `threshold` are the numbers that were compared, where there were any.
    """

    code: str
    message: str
    field: str | None = None
    value: float | None = None
    threshold: float | None = None


class ModelInfo(_Frozen):
    """Provenance: which weights made a result, and what ran them.

    `runtime` names the library and the device or precision, such as `onnxruntime-cpu` or
    `openvino-bf16`; "" where nobody said.
    """

    name: str
    version: str
    sha256: str
    licence: str
    runtime: str = ""


class Quality(_Frozen):
    """Input quality, measured on the working image.

    `sharpness` is the variance of the Laplacian at 512 px (about 20 blurred, above 100 sharp);
    `exposure` the mean luma; `clipped_dark` and `clipped_light` shares of pixels at the ends.
    """

    sharpness: float
    exposure: Unit
    clipped_dark: Unit
    clipped_light: Unit
    megapixels: float
    signals: tuple[Signal, ...] = ()


class Prepared(_Frozen):
    """Result of prepare. `sha256` is of the original bytes; `work_key` names the working image."""

    sha256: str
    phash: str
    original_key: str
    work_key: str
    alpha_key: str | None = None
    filename: str
    format: str
    bytes: int
    width: int
    height: int
    quality: Quality


class TextLine(_Frozen):
    """One line of text. `polygon` has four corners, clockwise from the text's own top left.

    `score` is the mean character score of the recogniser, `probability` the calibrated chance
    that the whole line is exactly right.
    """

    polygon: tuple[Point, Point, Point, Point]
    text: str
    score: Unit
    probability: Unit
    script: str
    vertical: bool = False


class TextResult(_Frozen):
    """Result of ocr: the lines in reading order. `confidence` is None when there is no text."""

    lines: tuple[TextLine, ...]
    confidence: Unit | None
    signals: tuple[Signal, ...] = ()
    models: tuple[ModelInfo, ...] = ()


class Category(_Frozen):
    """One guess of the classifier. `product` says whether such a thing is sold as goods."""

    id: int
    en: str
    zh: str
    probability: Unit
    product: bool


class Colour(_Frozen):
    """A dominant colour: `#rrggbb`, its basic name in English and Chinese, share of the pixels."""

    hex: str
    en: str
    zh: str
    share: Unit


class Finding(_Frozen):
    """A field read out of the text (brand, model), with where it came from.

    `lines` are indices into the text result; `rule` names the lexicon entry or pattern.
    """

    value: str
    confidence: Unit
    rule: str
    lines: tuple[int, ...] = ()


class Recognition(_Frozen):
    """Result of recognition. `embedding` is base64 of 1280 little-endian float16, L2-normalised."""

    categories: tuple[Category, ...]
    embedding: str
    colours: tuple[Colour, ...]
    brand: Finding | None
    model: Finding | None
    confidence: Unit
    signals: tuple[Signal, ...] = ()
    models: tuple[ModelInfo, ...] = ()


class Box(_Frozen):
    """A rectangle in pixels, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int


class Matte(_Frozen):
    """Result of matting. Shares are of the picture's area.

    `uncertain` is the share of pixels with an alpha strictly between 0.05 and 0.95, relative to
    the subject's area; `subjects` counts the separate parts that are worth counting.
    """

    alpha_key: str
    cutout_key: str
    coverage: Unit
    uncertain: float
    box: Box | None
    subjects: int
    touches: tuple[str, ...]
    supplied: bool = False
    confidence: Unit
    signals: tuple[Signal, ...] = ()
    models: tuple[ModelInfo, ...] = ()


class Picture(_Frozen):
    """One rendered output, measured after the final encoding."""

    name: str
    key: str
    format: str
    width: int
    height: int
    bytes: int
    sha256: str
    fill: float | None = None
    background: str | None = None


class Finished(_Frozen):
    """Result of finish: the pictures and where the job goes."""

    pictures: tuple[Picture, ...]
    route: str
    reasons: tuple[Signal, ...] = ()
