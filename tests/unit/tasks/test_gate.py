"""Shared and alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.gate import Gate


def test_many_may_be_inside_together() -> None:
    gate, together = Gate(), threading.Barrier(4, timeout=5)

    def enter(_: int) -> None:
        with gate.shared():
            together.wait()  # passes only when all four are inside

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(4)))


def test_alone_waits_for_those_inside_and_holds_newcomers_back() -> None:
    gate = Gate()
    inside, wants, leave = threading.Event(), threading.Event(), threading.Event()
    order: list[str] = []

    def first() -> None:
        with gate.shared():
            inside.set()
            leave.wait(5)
            order.append("shared leaves")

    def suspect() -> None:
        wants.set()
        with gate.alone():
            order.append("alone")

    def newcomer() -> None:
        with gate.shared():
            order.append("newcomer")

    with ThreadPoolExecutor(3) as pool:
        one = pool.submit(first)
        assert inside.wait(5)
        two = pool.submit(suspect)
        assert wants.wait(5)
        while not gate.somebody_waits:
            threading.Event().wait(0.001)
        three = pool.submit(newcomer)
        leave.set()
        for task in (one, two, three):
            task.result(5)
    assert order == ["shared leaves", "alone", "newcomer"]


def test_two_suspects_take_turns() -> None:
    gate = Gate()
    inside, most = 0, 0
    lock = threading.Lock()

    def enter(_: int) -> None:
        nonlocal inside, most
        with gate.alone():
            with lock:
                inside += 1
                most = max(most, inside)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(50)))
    assert most == 1


def test_an_error_inside_leaves_the_gate_open() -> None:
    gate = Gate()
    for way in (gate.shared, gate.alone):
        with pytest.raises(ZeroDivisionError), way():
            _ = 1 / 0
    with gate.alone(), ThreadPoolExecutor(1):
        pass
    with gate.shared():
        pass
