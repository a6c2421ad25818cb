"""The cache of decoded pictures: bounded, read-only, shared by threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tasks.pixels import PixelCache, Pixels


def pixels(count: int, value: int = 0) -> Pixels:
    return np.full(count, value, np.uint8)


def test_what_was_put_is_there() -> None:
    cache = PixelCache(100)
    cache.put("a", pixels(10, 7))
    held = cache.get("a")
    assert held is not None
    assert held.tolist() == [7] * 10
    assert cache.get("b") is None


def test_what_is_handed_out_cannot_be_written() -> None:
    cache = PixelCache(100)
    cache.put("a", pixels(10))
    held = cache.get("a")
    assert held is not None
    with pytest.raises(ValueError, match="read-only"):
        held[0] = 1


def test_the_oldest_make_room() -> None:
    cache = PixelCache(30)
    for key in "abc":
        cache.put(key, pixels(10))
    cache.put("d", pixels(15))
    assert [key for key in "abcd" if cache.get(key) is not None] == ["c", "d"]


def test_what_was_used_last_stays() -> None:
    cache = PixelCache(30)
    for key in "abc":
        cache.put(key, pixels(10))
    cache.get("a")
    cache.put("d", pixels(10))
    assert [key for key in "abcd" if cache.get(key) is not None] == ["a", "c", "d"]


def test_what_is_larger_than_the_bound_is_not_kept_and_costs_nobody() -> None:
    cache = PixelCache(30)
    cache.put("a", pixels(30))
    cache.put("huge", pixels(31))
    assert cache.get("huge") is None
    assert cache.get("a") is not None


def test_what_was_dropped_makes_room() -> None:
    cache = PixelCache(30)
    for key in "abc":
        cache.put(key, pixels(10))
    cache.drop("b")
    cache.drop("nothing")
    cache.put("d", pixels(10))
    assert [key for key in "abcd" if cache.get(key) is not None] == ["a", "c", "d"]


def test_the_same_key_again_does_not_count_twice() -> None:
    cache = PixelCache(30)
    for _ in range(10):
        cache.put("a", pixels(10))
    cache.put("b", pixels(20))
    assert cache.get("a") is not None
    assert cache.get("b") is not None


def test_threads_see_whole_arrays_and_the_bound_holds() -> None:
    cache = PixelCache(1000)

    def work(number: int) -> bool:
        key = str(number % 17)
        cache.put(key, pixels(100, number % 17))
        held = cache.get(key)
        return held is None or set(held.tolist()) == {number % 17}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(2000)))
    kept = [cache.get(str(key)) for key in range(17)]
    assert sum(one.nbytes for one in kept if one is not None) <= 1000
    assert sum(one is not None for one in kept) == 10
