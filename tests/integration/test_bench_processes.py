"""The measured programs, started as the bench starts them."""

from pathlib import Path

import pytest

from packshot.errors import PackshotError
from packshot.imaging.hashing import sha256
from workers.bench import photos
from workers.bench.plan import Options, Plan
from workers.bench.process import resident, together


def test_no_two_photos_are_equal(tmp_path: Path) -> None:
    paths = photos.write(tmp_path, 128, 30)
    assert len({sha256(path.read_bytes()) for path in paths}) == 30


def test_an_embedded_run_is_measured(tmp_path: Path) -> None:
    plan = Plan(Options(tmp_path, (256,), jobs=2, warm=1, processes=2, peer=None, models=None))
    found = plan.scaling()[0].run()
    assert found.jobs == 2
    assert 0 < found.extra["efficiency"] <= 1.05
    assert found.extra["peak_mib"] > 10
    # Neither photos nor data are left behind.
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PackshotError, match="did not start"):
        together([("-c", "print('no')")])
    with pytest.raises(PackshotError, match="failed"):
        together([("-c", "print('ready'); input(); raise SystemExit(3)")])


def test_memory_is_read() -> None:
    assert resident() > 1024 * 1024
