"""What a stage may use: the objects of the store, and what this process still holds of them."""

from dataclasses import replace

from packshot.contract import Step
from tasks.pixels import PixelCache
from tasks.stage import Work
from tests.support.runner_bench import Bench

KEY = "work/cutout.png"


def test_a_file_that_was_kept_is_not_read_from_the_store(bench: Bench) -> None:
    ticket = bench.ledger.begin(bench.submit(), Step.PREPARE, worker="w1")
    work = Work(ticket, bench.services)
    bench.services.blobs.put(KEY, b"stored", "image/png")
    assert work.file(KEY) == b"stored"
    work.keep_file(KEY, b"kept")
    assert work.file(KEY) == b"kept"
    assert bench.services.pixels.get(KEY) is None  # that would be its pixels
    work.let_go(KEY)
    assert work.file(KEY) == b"stored"
    elsewhere = Work(ticket, replace(bench.services, pixels=PixelCache()))
    assert elsewhere.file(KEY) == b"stored"
