"""UUIDs of version 7: they sort by time and say so."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122

from packshot.identity import uuid7


def test_the_bits_are_those_of_version_7() -> None:
    for one in (uuid7() for _ in range(200)):
        assert one.version == 7
        assert one.variant == RFC_4122


def test_the_first_48_bits_are_the_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    milliseconds = uuid7().int >> 80
    assert before <= milliseconds <= time.time_ns() // 1_000_000


def test_later_ids_sort_behind() -> None:
    first = uuid7()
    until = (first.int >> 80) + 1
    while time.time_ns() // 1_000_000 < until:
        pass
    later = uuid7()
    assert first < later
    assert str(first) < str(later)
    assert first.bytes < later.bytes


def test_ids_of_many_threads_are_all_different() -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: uuid7(), range(4000)))
    assert len(set(ids)) == 4000


def test_every_random_bit_is_random() -> None:
    fixed = 0xF << 76 | 0b11 << 62  # version and variant
    random = ((1 << 80) - 1) & ~fixed
    ones = zeros = 0
    for _ in range(200):
        value = uuid7().int
        ones |= value
        zeros |= ~value
    assert ones & random == random
    assert zeros & random == random
