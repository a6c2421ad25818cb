"""The reader with its real weights, on text that is drawn here with the font inside Pillow."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from models.ocr import FAST, ReaderOptions, TextReader
from models.session import Array
from packshot.results import TextResult

if TYPE_CHECKING:
    from models.registry import Registry

pytestmark = pytest.mark.models

LABEL = ("PACKSHOT", "Organic Green Tea", "Net weight 500 g", "Best before 2027-06-30")


def make_reader(weights: "Registry", options: ReaderOptions | None = None) -> TextReader:
    return TextReader(
        detector=weights.session("ppocrv6-det-small"),
        orientation=weights.session("ppocr-orientation"),
        recogniser=weights.session("ppocrv6-rec-small"),
        charset=weights.charset("ppocrv6-rec-small"),
        options=options,
    )


@pytest.fixture(scope="module")
def reader(weights: "Registry") -> TextReader:
    return make_reader(weights)


def draw(
    *lines: str,
    size: int = 40,
    canvas: tuple[int, int] = (600, 700),
    ink: int = 25,
    paper: int = 240,
) -> Array:
    """Lines below each other on a canvas of (height, width)."""
    picture = Image.new("RGB", (canvas[1], canvas[0]), (paper, paper, paper))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    for place, line in enumerate(lines):
        pen.text((50, 60 + 2.5 * size * place), line, font=font, fill=(ink, ink, ink))
    return np.asarray(picture)


def texts(result: TextResult) -> list[str]:
    return [line.text for line in result.lines]


def tilted(picture: Array, degrees: float) -> Array:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.8)
    moved: Array = cv2.warpAffine(picture, matrix, (width, height), borderValue=(240, 240, 240))
    return moved


def test_charset_and_net_belong_together(weights: "Registry") -> None:
    charset = weights.charset("ppocrv6-rec-small")
    assert len(charset) == 18708
    assert {"中", "の", "A", "ü", "Ω", "9"} <= set(charset)
    assert "Ж" not in charset


def test_a_label_is_read_exactly_and_in_order(reader: TextReader) -> None:
    result = reader.read(draw(*LABEL))
    assert texts(result) == list(LABEL)
    assert all(line.probability > 0.8 for line in result.lines)
    assert result.confidence is not None
    assert result.confidence > 0.9
    assert result.signals == ()
    assert {info.licence for info in result.models} == {"Apache-2.0"}


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_label_is_read_in_every_quarter_turn(reader: TextReader, quarters: int) -> None:
    picture = np.ascontiguousarray(np.rot90(draw(*LABEL), quarters))
    assert texts(reader.read(picture)) == list(LABEL)


@pytest.mark.parametrize("degrees", [-20.0, 15.0, 195.0])
def test_a_tilted_label_is_read(reader: TextReader, degrees: float) -> None:
    assert texts(reader.read(tilted(draw(*LABEL), degrees))) == list(LABEL)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(draw("Sparkling Water", ink=250, paper=20), id="light on dark"),
        pytest.param(draw("Sparkling Water", ink=150, paper=190), id="faint"),
        pytest.param(draw("Sparkling Water", size=14), id="small"),
        pytest.param(draw("Sparkling Water", size=80), id="large"),
        pytest.param(cv2.GaussianBlur(draw("Sparkling Water"), (0, 0), 2.0), id="blurred"),
        pytest.param(draw("Sparkling Water", size=24, canvas=(150, 300)), id="a small picture"),
        pytest.param(draw("Sparkling Water", size=60, canvas=(3000, 2400)), id="a large picture"),
        pytest.param(draw("Sparkling Water", canvas=(160, 6000)), id="a wide strip"),
    ],
)
def test_print_of_many_kinds(reader: TextReader, picture: Array) -> None:
    assert texts(reader.read(picture)) == ["Sparkling Water"]


def test_the_polygon_lies_on_the_text(reader: TextReader) -> None:
    picture = draw("Sparkling Water")
    rows, columns = np.nonzero(picture[..., 0] < 128)
    (line,) = reader.read(picture).lines
    (left, top), _, (right, bottom), _ = line.polygon
    assert left <= columns.min() < left + 20
    assert right - 20 < columns.max() <= right
    assert top <= rows.min() < top + 20
    assert bottom - 20 < rows.max() <= bottom


@pytest.mark.parametrize(
    "size", [(16, 16), (1, 1), (1, 500), (500, 1), (2500, 50), (50, 2500), (448, 756)]
)
@pytest.mark.parametrize("shade", [0, 255])
def test_an_empty_picture_of_any_size(
    reader: TextReader, size: tuple[int, int], shade: int
) -> None:
    result = reader.read(np.full((*size, 3), shade, np.uint8))
    assert (result.lines, result.confidence, result.signals) == ((), None, ())


def test_960_reads_a_plain_label_as_well(weights: "Registry") -> None:
    options = ReaderOptions(detection=FAST)
    assert texts(make_reader(weights, options).read(draw(*LABEL))) == list(LABEL)


def test_threads_share_the_sessions(reader: TextReader) -> None:
    words = ["Tea", "Coffee", "Cocoa", "Water"]
    pictures = [draw(word, canvas=(200, 400)) for word in words]
    with ThreadPoolExecutor(4) as pool:
        assert [texts(result) for result in pool.map(reader.read, pictures)] == [[w] for w in words]


def test_the_example_has_text(reader: TextReader) -> None:
    assert texts(reader.read(TextReader.example())) == ["PACKSHOT", "Net weight 500 g"]
