"""Tuning finds the best way, keeps it for this machine, and overrules nobody."""

from pathlib import Path

import pytest

from models.registry import Registry
from packshot.errors import ConfigurationError
from packshot.settings import Settings
from workers.bench.photos import write as write_photos
from workers.tune import profile
from workers.tune.halving import halve
from workers.tune.knobs import SIZES, WAITS, Knobs, Score, grid
from workers.tune.trial import measure

WAY = Knobs(concurrency=3, threads=2, batch=1, wait=0.01)


def way(concurrency: int) -> Knobs:
    return WAY.model_copy(update={"concurrency": concurrency})


@pytest.mark.parametrize("cores", [1, 2, 4, 7, 64])
def test_every_way_on_a_cpu_fills_the_cores(cores: int) -> None:
    ways = grid(cores, batches=False)
    assert len(set(ways)) == len(ways) >= 2
    assert all(cores / 2 <= one.concurrency * one.threads <= 2 * cores for one in ways)
    assert {one.batch for one in ways} == {1}
    assert any(one.threads == 1 and one.concurrency == cores for one in ways)


def test_a_device_gets_batches_that_can_be_filled() -> None:
    ways = grid(2, batches=True)
    assert len(ways) == len(SIZES) * len(WAITS)
    assert all(one.concurrency >= one.batch for one in ways)


def test_the_better_half_is_tried_for_longer() -> None:
    tried: list[tuple[int, int]] = []

    def rate(knobs: Knobs, photos: int) -> float:
        tried.append((knobs.concurrency, photos))
        return 10.0 - abs(knobs.concurrency - 6)

    scores = halve([way(number) for number in range(1, 9)], rate, photos=4)
    assert [one.knobs.concurrency for one in scores[:2]] == [6, 5]
    assert [photos for _, photos in tried] == [4] * 8 + [8] * 4 + [16] * 2
    assert scores[0].photos == 16
    assert sorted(one.knobs.concurrency for one in scores) == list(range(1, 9))


def test_a_later_round_corrects_a_lucky_start() -> None:
    def rate(knobs: Knobs, photos: int) -> float:
        lucky = knobs.concurrency == 1 and photos == 4
        return 100.0 if lucky else float(knobs.concurrency)

    assert halve([way(number) for number in range(1, 5)], rate, photos=4)[0].knobs == way(4)


def test_what_does_not_run_is_no_way() -> None:
    scores = halve(
        [way(1), way(2), way(3)], lambda one, _: None if one == way(3) else 1.0, photos=4
    )
    assert [one.knobs for one in scores] == [way(1), way(2)]
    assert halve([way(1)], lambda _one, _photos: None, photos=4) == []


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load().model_copy(update={"models": tmp_path})


def test_workers_follow_what_was_found(settings: Settings) -> None:
    assert profile.read(settings) is None
    file = profile.write(settings, Score(WAY, 2.5, 16))
    assert file == Registry(settings.models).cache / "profile.json"
    found = profile.read(settings)
    assert found
    assert (found.knobs, found.photos_per_second) == (WAY, 2.5)
    tuned = profile.tuned(settings, found)
    assert (tuned.threads, tuned.batch_size, tuned.batch_wait) == (2, 1, 0.01)


def test_what_somebody_has_set_holds(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    profile.write(settings, Score(WAY, 2.5, 16))
    monkeypatch.setenv("PACKSHOT_THREADS", "4")
    monkeypatch.setenv("PACKSHOT_MODELS", str(settings.models))
    named = Settings.load()
    assert profile.tuned(named, profile.read(named)).threads == 4


def test_another_machines_profile_is_not_used(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    profile.write(settings, Score(WAY, 2.5, 16))
    elsewhere = profile.machine(settings).model_copy(update={"processor": 'other "one"'})
    monkeypatch.setattr(profile, "machine", lambda _: elsewhere)
    assert profile.read(settings) is None
    assert "another machine's" in caplog.text
    profile.write(settings, Score(WAY, 2.5, 16))
    assert profile.read(settings)


def test_a_broken_profile_is_said(settings: Settings) -> None:
    profile.path(settings).write_text("threads = two")
    with pytest.raises(ConfigurationError, match=r"profile\.json is wrong"):
        profile.read(settings)


def test_a_profile_that_is_named_has_to_be_there(settings: Settings, tmp_path: Path) -> None:
    named = settings.model_copy(update={"profile": tmp_path / "none.json"})
    with pytest.raises(ConfigurationError, match="run packshot tune"):
        profile.read(named)


@pytest.mark.models
@pytest.mark.usefixtures("weights")
def test_a_trial_runs_the_real_models(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 200, 2)
    rate = measure(Knobs(concurrency=1, threads=1, batch=1, wait=0), tmp_path / "photos", 2)
    assert rate
    assert rate > 0
    impossible = tmp_path / "nothing"
    impossible.mkdir()
    assert measure(WAY, impossible, 2) is None
