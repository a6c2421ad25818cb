"""A pull brings the promised bytes, whole, once, and says what stands in its way."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from models.weights import files
from models.weights.progress import Silent
from models.weights.pull import Options, Outcome, pull
from models.weights.verify import State, check
from packshot.errors import (
    ConfigurationError,
    ModelFailure,
    ModelForbidden,
    SourceUnavailable,
    StorageUnavailable,
)
from tests.support.tiny_weights import entry, registry, tiny_bytes


class Recorder(Silent):
    """Remembers the stages."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def stage(self, name: str, doing: str, total: int | None = None) -> None:
        self.stages.append(doing)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.onnx"
    path.write_bytes(tiny_bytes())
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def at(path: Path) -> dict[str, Any]:
    return {"kind": "path", "path": str(path)}


def leftovers(cache: Path) -> list[str]:
    return [path.name for path in cache.glob(".pull-*")]


def test_weights_are_fetched_prepared_and_recorded(source: Path, cache: Path) -> None:
    known = registry(cache, entry(tiny_bytes(), at(source), prepare=["zero-denormals"]))

    (pulled,) = pull(known, ["tiny"])

    assert pulled.outcome is Outcome.PULLED
    assert pulled.receipt.source == str(source)
    assert pulled.receipt.trust == "manifest"
    assert pulled.receipt.sha256 == files.sha256_of(known.path("tiny"))
    assert pulled.receipt.sha256 != pulled.receipt.source_sha256
    factors = numpy_helper.to_array(onnx.load(known.path("tiny")).graph.initializer[0])
    np.testing.assert_array_equal(factors, np.array([2, 0, 0, 0], np.float32))
    assert leftovers(cache) == []


def test_a_second_pull_only_looks(source: Path, cache: Path) -> None:
    known = registry(cache, entry(tiny_bytes(), at(source)))
    pull(known, ["tiny"])
    source.unlink()

    (pulled,) = pull(known, ["tiny", "tiny"], Options(offline=True))

    assert pulled.outcome is Outcome.THERE


@pytest.mark.parametrize("damage", ["flip", "cut", "receipt", "model"])
def test_damaged_weights_are_found_and_repaired(source: Path, cache: Path, damage: str) -> None:
    known = registry(cache, entry(tiny_bytes(), at(source)))
    pull(known, ["tiny"])
    path, content = known.path("tiny"), known.path("tiny").read_bytes()
    match damage:
        case "flip":
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        case "cut":
            path.write_bytes(content[:-1])
        case "receipt":
            (path.parent / "receipt.json").write_text("{", "utf-8")
        case _:
            path.unlink()
    assert check(known, "tiny") is State.DAMAGED

    (pulled,) = pull(known, ["tiny"])

    assert pulled.outcome is Outcome.REPAIRED
    assert check(known, "tiny") is State.OK
    assert leftovers(cache) == []


def test_other_bytes_are_refused_and_leave_nothing(source: Path, cache: Path) -> None:
    known = registry(cache, entry(b"what the manifest promises", at(source)))

    with pytest.raises(ModelFailure, match="other bytes than expected"):
        pull(known, ["tiny"])

    assert check(known, "tiny") is State.MISSING
    assert leftovers(cache) == []


def test_the_next_source_is_tried(source: Path, cache: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(b"wrong")
    sources = [
        {"kind": "package", "package": "no-such-package-here", "member": "m"},
        at(tmp_path / "missing.onnx"),
        at(wrong),
        at(source),
    ]
    known = registry(cache, entry(tiny_bytes(), *sources))

    (pulled,) = pull(known, ["tiny"])

    assert pulled.receipt.source == str(source)


def test_a_file_of_an_installed_package_is_used(cache: Path) -> None:
    member = "numpy/__init__.py"
    content = Path(np.__file__).read_bytes()
    known = registry(
        cache, entry(content, {"kind": "package", "package": "numpy", "member": member})
    )

    (pulled,) = pull(known, ["tiny"], Options(offline=True))

    assert pulled.receipt.source == "the installed package numpy"


def test_offline_says_that_it_was_told_not_to_download(cache: Path) -> None:
    remote = {"kind": "https", "url": "https://example.org/model.onnx"}
    known = registry(cache, entry(b"x", remote))

    with pytest.raises(SourceUnavailable, match="not on this machine and --offline forbids"):
        pull(known, ["tiny"], Options(offline=True))


def test_noncommercial_weights_need_a_word(source: Path, cache: Path) -> None:
    mine = entry(tiny_bytes(), at(source), commercial=False, licence="LicenseRef-research")
    known = registry(cache, mine)

    with pytest.raises(ModelForbidden, match=r"LicenseRef-research.*--allow-noncommercial"):
        pull(known, ["tiny"])
    assert not cache.exists()

    (pulled,) = pull(known, ["tiny"], Options(allow_noncommercial=True))
    assert pulled.receipt.licence == "LicenseRef-research"


def test_unpinned_weights_are_trusted_once(source: Path, cache: Path) -> None:
    known = registry(cache, entry(None, at(source)))
    with pytest.raises(ConfigurationError, match="--trust-on-first-use"):
        pull(known, ["tiny"])
    trusting = Options(trust_on_first_use=True)

    (pulled,) = pull(known, ["tiny"], trusting)

    assert pulled.receipt.trust == "first-use"
    assert json.loads((cache / "trusted.json").read_text("utf-8")) == {
        "tiny": pulled.receipt.source_sha256
    }

    source.write_bytes(b"something else")
    known.path("tiny").unlink()
    with pytest.raises(ModelFailure, match="other bytes than expected"):
        pull(known, ["tiny"], trusting)


def test_an_interrupted_pull_leaves_nothing_half(source: Path, cache: Path) -> None:
    class Interrupts(Silent):
        def stage(self, name: str, doing: str, total: int | None = None) -> None:
            if doing == "preparing":
                raise KeyboardInterrupt

    known = registry(cache, entry(tiny_bytes(), at(source)))

    with pytest.raises(KeyboardInterrupt):
        pull(known, ["tiny"], progress=Interrupts())

    assert check(known, "tiny") is State.MISSING
    assert leftovers(cache) == []
    assert pull(known, ["tiny"])[0].outcome is Outcome.PULLED


def test_what_a_killed_pull_left_is_swept_away(source: Path, cache: Path) -> None:
    (cache / ".pull-killed").mkdir(parents=True)
    (cache / ".pull-killed" / "half").write_bytes(b"half")

    pull(registry(cache, entry(tiny_bytes(), at(source))), ["tiny"])

    assert leftovers(cache) == []


def test_many_pulls_at_once_do_the_work_once(source: Path, cache: Path) -> None:
    outcomes: list[Outcome] = []
    barrier = threading.Barrier(6)

    def work() -> None:
        known = registry(cache, entry(tiny_bytes(), at(source), prepare=["zero-denormals"]))
        barrier.wait()
        outcomes.append(pull(known, ["tiny"])[0].outcome)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [Outcome.THERE] * 5 + [Outcome.PULLED]
    assert leftovers(cache) == []


def test_a_pull_that_waits_says_so(source: Path, cache: Path) -> None:
    known = registry(cache, entry(tiny_bytes(), at(source)))
    waits, recorder = threading.Event(), Recorder()

    class Waits(Recorder):
        def stage(self, name: str, doing: str, total: int | None = None) -> None:
            super().stage(name, doing, total)
            waits.set()

    recorder = Waits()
    cache.mkdir()
    with files.exclusive(cache, lambda: None) as alone:
        assert alone
        thread = threading.Thread(target=pull, args=(known, ["tiny"], None, recorder))
        thread.start()
        assert waits.wait(10)
    thread.join()

    assert recorder.stages[0] == "waiting for another pull"
    assert check(known, "tiny") is State.OK


def test_a_cache_that_cannot_be_written_is_a_sentence(source: Path, cache: Path) -> None:
    cache.write_text("a file where the folder should be", "utf-8")

    with pytest.raises(StorageUnavailable, match="--cache"):
        pull(registry(cache, entry(tiny_bytes(), at(source))), ["tiny"])


def test_a_failed_write_keeps_the_old_text(tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text("old", "utf-8")

    with pytest.raises(UnicodeEncodeError):
        files.write_atomic(path, "\ud800")

    assert path.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]
