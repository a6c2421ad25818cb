import math

import numpy as np
import pytest

from models.ocr.order import direction, reading_order
from models.session import Array


def box(left: float, top: float, width: float, height: float) -> Array:
    return np.array(
        [
            [left, top],
            [left + width, top],
            [left + width, top + height],
            [left, top + height],
        ],
        np.float32,
    )


def turned(quad: Array, degrees: float) -> Array:
    angle = math.radians(degrees)
    matrix = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved: Array = ((quad - 500) @ matrix.T + 500).astype(np.float32)
    return moved


#: Name, boxes in the right order.
LAYOUTS = {
    "one line": [box(10, 10, 100, 20)],
    "a paragraph": [box(10, 10 + 30 * row, 300, 24) for row in range(5)],
    "tight lines whose boxes overlap": [box(10, 10 + 20 * row, 300, 26) for row in range(5)],
    "words of one row, unevenly high": [
        box(10, 12, 80, 20),
        box(100, 8, 80, 30),
        box(200, 15, 80, 18),
    ],
    "a table reads by rows": [
        box(10 + 200 * column, 10 + 40 * row, 120, 24) for row in range(4) for column in range(3)
    ],
    "columns whose rows do not line up": [
        *[box(10, 10 + 40 * row, 150, 34) for row in range(4)],
        *[box(250, 30 + 40 * row, 150, 34) for row in range(4)],
    ],
    "headline, two columns, footer": [
        box(10, 10, 500, 50),
        *[box(10, 100 + 40 * row, 200, 34) for row in range(3)],
        *[box(300, 118 + 40 * row, 200, 34) for row in range(3)],
        box(10, 300, 500, 30),
    ],
    "interlocked, no straight cut": [
        box(0, 0, 60, 30),
        box(50, 10, 60, 30),
        box(45, 45, 10, 10),
        box(100, 25, 20, 60),
        box(0, 35, 50, 40),
    ],
}


@pytest.mark.parametrize("degrees", [0.0, 8.0, -8.0, 90.0, 180.0, 270.0])
@pytest.mark.parametrize("name", [name for name in LAYOUTS if "interlocked" not in name])
def test_reading_order_does_not_depend_on_the_angle(name: str, degrees: float) -> None:
    quads = [turned(quad, degrees) for quad in LAYOUTS[name]]
    angles = [math.radians(degrees)] * len(quads)
    shuffled = np.random.default_rng(7).permutation(len(quads)).tolist()
    order = reading_order([quads[i] for i in shuffled], [angles[i] for i in shuffled])
    assert [shuffled[place] for place in order] == list(range(len(quads)))


def test_interlocked_lines_all_come_once() -> None:
    quads = LAYOUTS["interlocked, no straight cut"]
    order = reading_order(quads, [0.0] * len(quads))
    assert sorted(order) == list(range(len(quads)))
    assert order[0] == 0


def test_columns_run_from_right_to_left() -> None:
    columns = [box(300 - 60 * place, 10 + 5 * place, 40, 400) for place in range(4)]
    assert reading_order(columns[::-1], [math.pi / 2] * 4) == [3, 2, 1, 0]


def test_lines_running_up_are_read_from_left_to_right() -> None:
    lines = [box(10 + 60 * place, 10, 40, 400) for place in range(3)]
    assert reading_order(lines[::-1], [-math.pi / 2] * 3) == [2, 1, 0]


def test_the_direction_of_most_text_comes_first() -> None:
    side = box(600, 0, 20, 300)
    body = [box(10, 10 + 40 * row, 400, 30) for row in range(2)]
    assert reading_order([side, *body], [math.pi / 2, 0.0, 0.0]) == [1, 2, 0]


def test_left_and_right_tilts_around_half_a_turn_are_one_group() -> None:
    lines = [turned(box(100, 100 + 60 * row, 700, 40), 180) for row in range(2)]
    assert reading_order(lines, [math.pi - 0.02, -math.pi + 0.02]) == [0, 1]


def test_no_lines() -> None:
    assert reading_order([], []) == []


@pytest.mark.parametrize(
    ("start", "column", "degrees"),
    [
        pytest.param(0, False, 0, id="upright"),
        pytest.param(1, False, 90, id="running down"),
        pytest.param(2, False, 180, id="on its head"),
        pytest.param(3, False, -90, id="running up"),
        pytest.param(0, True, 90, id="a column of upright characters"),
    ],
)
def test_direction(start: int, column: bool, degrees: float) -> None:
    own = np.roll(box(0, 0, 100, 20), -start, axis=0)
    assert math.degrees(direction(own, column=column)) == pytest.approx(degrees)
