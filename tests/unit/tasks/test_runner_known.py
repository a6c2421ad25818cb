"""Equal input is computed once, and what was computed says what it has cost."""

from dataclasses import replace

from models.fake import fake_models
from packshot.contract import Step
from packshot.meter import spent
from packshot.store.ledger import Artifact
from tasks.delivery import Next
from tasks.stage import Found, Work
from tests.support.runner_bench import Bench, Note


def test_equal_input_is_computed_once(bench: Bench) -> None:
    bench.keys = True
    matte = Artifact("matte", "work/m.png", "image/png", 3, "1" * 64)
    bench.instead[Step.OCR] = lambda _: Found(Note(text="seen"), 0.7, (matte,))
    for name in ("1", "2"):
        row = bench.submit(name)
        assert bench.deliver(row, Step.PREPARE) is Next.HAND_ON
        assert bench.deliver(row, Step.OCR) is Next.HAND_ON
    assert [job for job, step in bench.ran if step is Step.OCR] == ["1"]
    first, second = bench.step(Step.OCR), bench.step(Step.OCR, "2")
    assert (first.reused, second.reused) == (False, True)
    assert (first.result, first.confidence) == (second.result, second.confidence)
    assert [one.key for one in bench.view("2").artifacts] == ["work/m.png"]


def test_what_a_step_has_spent_is_in_its_row(bench: Bench) -> None:
    def work(_: Work) -> Found:
        spent(device_seconds=0.5, read=10, written=20)
        return Found(Note(text="seen"))

    bench.keys = True
    bench.instead[Step.OCR] = work
    for name in ("1", "2"):
        row = bench.submit(name)
        bench.deliver(row, Step.PREPARE)
        bench.deliver(row, Step.OCR)
    first, second = bench.step(Step.OCR), bench.step(Step.OCR, "2")
    assert (first.device_seconds, first.bytes_read, first.bytes_written) == (0.5, 10, 20)
    assert 0 <= first.cpu_seconds < 10
    assert (second.reused, second.device_seconds) == (True, 0.0)


def test_other_input_and_other_models_are_computed_again(bench: Bench) -> None:
    for name in ("1", "2"):
        row = bench.submit(name)
        bench.deliver(row, Step.PREPARE)
        bench.deliver(row, Step.OCR)
    bench.keys = True
    for number, services in enumerate(
        (bench.services, replace(bench.services, models=replace(fake_models(), infos=())))
    ):
        runner = replace(bench.runner, services=services)
        row = bench.submit(f"key {number}")
        runner.deliver(row, Step.PREPARE, worker="w1")
        runner.deliver(row, Step.OCR, worker="w1")
    assert len([job for job, step in bench.ran if step is Step.OCR]) == 4
