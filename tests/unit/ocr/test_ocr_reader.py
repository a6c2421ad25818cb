from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from models.batched import BatchedSession
from models.ocr import ReaderOptions, Reading, TextReader
from models.ocr.reader import confidence
from models.plan import Limits
from models.session import Array
from packshot.errors import ConfigurationError
from packshot.results import TextLine

MakeReader = Callable[..., TextReader]
Paint = Callable[..., Array]
#: Two rows of ink: red, green / blue.
BARS = (("R", (50, 100, 250, 130)), ("G", (400, 100, 600, 130)), ("B", (50, 300, 250, 330)))


def upside_down(tensor: Array) -> Array:
    return np.tile(np.array([[0.01, 0.99]], np.float32), (len(tensor), 1))


def test_reads_lines_in_order(make_reader: MakeReader, paint: Paint) -> None:
    picture = paint((800, 800), *BARS)
    before = picture.copy()
    result = make_reader().read(picture)
    assert [line.text for line in result.lines] == ["R", "G", "B"]
    assert [info.name for info in result.models] == ["finds-ink", "never-turned", "names-ink"]
    np.testing.assert_array_equal(picture, before)


def test_a_line_says_where_it_is(make_reader: MakeReader, paint: Paint) -> None:
    (line,) = make_reader().read(paint((800, 800), ("G", (300, 400, 500, 440)))).lines
    points = np.array(line.polygon)
    np.testing.assert_allclose(points.mean(axis=0), [400, 420], atol=2)
    assert points[:, 0].min() < 300
    assert points[:, 0].max() > 500
    assert points[0].tolist() == [points[:, 0].min(), points[:, 1].min()]
    assert line.score == pytest.approx(0.99)
    assert 0.9 < line.probability < 1.0
    assert (line.script, line.vertical) == ("latin", False)


@pytest.mark.parametrize(
    ("size", "bar"),
    [
        pytest.param((16, 16), (2, 6, 14, 10), id="icon"),
        pytest.param((1, 600), (100, 0, 300, 1), id="one pixel high"),
        pytest.param((600, 1), (0, 100, 1, 300), id="one pixel wide"),
        pytest.param((40, 2000), (500, 10, 900, 30), id="1 to 50"),
        pytest.param((2000, 40), (10, 500, 30, 900), id="50 to 1"),
        pytest.param((1, 1), (0, 0, 1, 1), id="one pixel"),
        pytest.param((800, 800), (0, 0, 800, 800), id="nothing but ink"),
    ],
)
def test_odd_sizes(
    make_reader: MakeReader, paint: Paint, size: tuple[int, int], bar: tuple[int, int, int, int]
) -> None:
    result = make_reader().read(paint(size, ("R", bar)))
    assert {line.text for line in result.lines} <= {"R"}
    for line in result.lines:
        points = np.array(line.polygon)
        assert (points >= 0).all()
        assert (points <= (size[1], size[0])).all()


@pytest.mark.parametrize("size", [(600, 800), (16, 16), (1, 1)])
def test_no_text_is_an_empty_result(
    make_reader: MakeReader, paint: Paint, size: tuple[int, int]
) -> None:
    result = make_reader().read(paint(size))
    assert (result.lines, result.confidence, result.signals) == ((), None, ())


def test_a_line_on_its_head_is_turned_and_says_so(
    make_reader: MakeReader, make_net: Callable[..., Any], paint: Paint
) -> None:
    reader = make_reader(orientation=make_net("upside-down", upside_down))
    (line,) = reader.read(paint((800, 800), ("R", (300, 400, 500, 440)))).lines
    points = np.array(line.polygon)
    assert points[0].tolist() == [points[:, 0].max(), points[:, 1].max()]


def test_a_tall_latin_line_runs_down(make_reader: MakeReader, paint: Paint) -> None:
    (line,) = make_reader().read(paint((800, 800), ("R", (400, 200, 440, 600)))).lines
    points = np.array(line.polygon)
    assert not line.vertical
    assert points[0].tolist() == [points[:, 0].max(), points[:, 1].min()]


def test_tall_han_lines_are_columns_from_the_right(make_reader: MakeReader, paint: Paint) -> None:
    reader = make_reader()
    picture = paint((800, 800), ("R", (200, 200, 240, 600)), ("G", (400, 200, 440, 600)))
    crops = reader.crops(picture)
    han = {"R": Reading("左列文字", 0.99), "G": Reading("右列文字", 0.99)}
    readings = [han[text] for text, _ in reader.recognise([item.image for item in crops])]
    lines = reader.assemble(crops, readings, size=(800, 800)).lines
    assert [line.text for line in lines] == ["右列文字", "左列文字"]
    assert all(line.vertical for line in lines)
    for line in lines:
        points = np.array(line.polygon)
        assert points[0].tolist() == points.min(axis=0).tolist()


@pytest.mark.parametrize(
    ("steps", "flipped"),
    [
        pytest.param((1, 2), False, id="a word is turned back"),
        pytest.param((1, 1), True, id="a single character is not: 6 is a good 9"),
    ],
)
def test_a_doubtful_crop_is_read_the_other_way_up_too(
    make_reader: MakeReader,
    make_net: Callable[..., Any],
    paint: Paint,
    steps: tuple[int, int],
    flipped: bool,
) -> None:
    def by_the_left_end(tensor: Array) -> Array:
        # Surely `steps` where the strip starts with ink, hardly "??" where it ends with it.
        answer = np.zeros((len(tensor), 3, 6), np.float32)
        answer[:, 1, 0] = 0.9
        inked = tensor[:, :, 20:28, 70:80].mean(axis=(1, 2, 3)) < 0.2
        for item, well in zip(answer, inked, strict=True):
            chosen = steps if well else (4, 3)
            item[[0, 2], list(chosen)] = 0.98 if well else 0.6
            if chosen == (1, 1):
                item[1], item[2] = item[0], item[0]
        return answer

    def one_line(tensor: Array) -> Array:
        answer = np.zeros_like(tensor[:, :1])
        answer[0, 0, 350:390, 200:600] = 0.9
        return answer

    reader = make_reader(
        detector=make_net("one-line", one_line),
        orientation=make_net("upside-down", upside_down),
        recogniser=make_net("left-end", by_the_left_end, 6),
    )
    (line,) = reader.read(paint((736, 736), ("R", (180, 330, 400, 410)))).lines
    assert line.text == ("?B" if flipped else "RG")
    corner = max(line.polygon) if flipped else min(line.polygon)
    assert line.polygon[0] == corner


def test_lines_below_the_floor_are_left_out(make_reader: MakeReader, paint: Paint) -> None:
    picture = paint((800, 800), *BARS)
    assert make_reader(ReaderOptions(text_score=0.995)).read(picture).lines == ()


@pytest.mark.parametrize("size", [1, 2, 8])
def test_company_changes_nothing(
    make_reader: MakeReader, nets: dict[str, Any], paint: Paint, size: int
) -> None:
    pictures = [
        paint((800, 800), *BARS, ("R", (50, 500, 700, 530))),
        paint((400, 900), ("B", (100, 100, 500, 140))),
        paint((800, 800), ("G", (50, 500, 300, 530))),
        paint((800, 800)),
    ]
    alone = [make_reader().read(picture) for picture in pictures]
    batched = {name: BatchedSession(net, Limits(size, 0.02)) for name, net in nets.items()}
    reader = make_reader(**batched)
    try:
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(reader.read, pictures))
    finally:
        for session in batched.values():
            session.close()
    assert together == alone


def test_crops_of_one_picture_run_together(
    make_reader: MakeReader, nets: dict[str, Any], paint: Paint
) -> None:
    batched = BatchedSession(nets["recogniser"], Limits(8, 0.0))
    try:
        make_reader(recogniser=batched).read(paint((800, 800), *BARS))
    finally:
        batched.close()
    # All three are short enough for the least width.
    assert nets["recogniser"].shapes == [(3, 3, 48, 320)]


def test_a_line_that_reads_well_is_not_asked_about(
    make_reader: MakeReader, make_net: Callable[..., Any], nets: dict[str, Any], paint: Paint
) -> None:
    def word(tensor: Array) -> Array:
        # R, G, B, ? in turn, all of them sure.
        answer = np.zeros((len(tensor), 4, 6), np.float32)
        answer[:, range(4), range(1, 5)] = 0.99
        return answer

    make_reader(recogniser=make_net("word", word, 6)).read(paint((800, 800), *BARS))
    assert nets["orientation"].shapes == []
    make_reader().read(paint((800, 800), *BARS))
    assert nets["orientation"].shapes == [(1, 3, 48, 192)] * 3


def test_threads_share_one_reader(make_reader: MakeReader, paint: Paint) -> None:
    reader = make_reader()
    pictures = [
        paint((300 + 40 * n, 700 + 30 * n), ("RGB"[n % 3], (50, 100, 300 + 20 * n, 140)))
        for n in range(12)
    ]
    alone = [reader.read(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(reader.read, pictures)) == alone
    assert [line.text for result in alone for line in result.lines] == list("RGB" * 4)


def test_the_signal_reaches_the_result(
    make_reader: MakeReader, make_net: Callable[..., Any], paint: Paint
) -> None:
    def nothing(tensor: Array) -> Array:
        answer = np.zeros((len(tensor), 3, 6), np.float32)
        answer[:, :, 0] = 1.0
        return answer

    result = make_reader(recogniser=make_net("nothing", nothing, 6)).read(paint((800, 800), *BARS))
    assert result.lines == ()
    assert [signal.code for signal in result.signals] == ["unsupported_script"]


def test_a_line_in_an_unsupported_script_is_not_probable(
    make_reader: MakeReader, paint: Paint
) -> None:
    reader = make_reader()
    crops = reader.crops(paint((800, 800), BARS[0]))
    result = reader.assemble(crops, [Reading("Συστατι", 0.99)], size=(800, 800))
    assert result.lines[0].probability <= 0.05
    assert result.confidence == result.lines[0].probability


def test_a_charset_of_another_net_is_refused(
    make_reader: MakeReader, make_net: Callable[..., Any]
) -> None:
    with pytest.raises(ConfigurationError, match="character list"):
        make_reader(recogniser=make_net("other", upside_down, 100))


def test_confidence_weighs_lines_by_length() -> None:
    def line(text: str, probability: float) -> TextLine:
        corner = (0.0, 0.0)
        return TextLine(
            polygon=(corner, corner, corner, corner),
            text=text,
            score=probability,
            probability=probability,
            script="latin",
        )

    assert confidence([]) is None
    assert confidence([line("aaa", 0.9), line("b", 0.1)]) == pytest.approx(0.7)


def test_example_is_a_small_picture() -> None:
    picture = TextReader.example()
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.std() > 10
