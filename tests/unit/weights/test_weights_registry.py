"""The registry finds weights, opens them, and refuses what is not what it was."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.registry import Registry, default_cache
from models.weights.pull import pull
from packshot.errors import ConfigurationError, ModelFailure, ModelMissing
from tests.support.tiny_weights import entry, registry, tiny_bytes


@pytest.fixture
def known(tmp_path: Path) -> Registry:
    """A registry whose two models are there."""
    entries = []
    for name, charset in [("tiny", None), ("reader", "a\nb\n")]:
        path = tmp_path / name
        path.write_bytes(tiny_bytes(charset=charset))
        prepare = ["charset-to-metadata"] if charset else []
        entries.append(
            entry(
                path.read_bytes(), {"kind": "path", "path": str(path)}, name=name, prepare=prepare
            )
        )
    found = registry(tmp_path / "cache", *entries)
    pull(found, found.names())
    return found


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        pytest.param(None, "/home/me/.cache/packshot/models", id="not set"),
        pytest.param("", "/home/me/.cache/packshot/models", id="empty"),
        pytest.param("relative", "/home/me/.cache/packshot/models", id="relative: invalid"),
        pytest.param("/big/disk", "/big/disk/packshot/models", id="set"),
    ],
)
def test_the_cache_follows_the_platform(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, expected: str
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if variable is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", variable)

    assert default_cache() == Path(expected)
    assert Registry().cache == Path(expected)
    assert Registry(Path("/mine")).cache == Path("/mine")


def test_a_session_runs_and_knows_its_weights(known: Registry) -> None:
    session = known.session("tiny")

    (y,) = session.run({"x": np.ones((1, 4), np.float32)})
    np.testing.assert_allclose(y, [[2.0, 0.0, 1.0, 0.5]], atol=1e-30)
    assert session.info == known.info("tiny").model_copy(update={"runtime": "onnxruntime-cpu"})
    assert session.info.sha256 == known.receipt("tiny").sha256
    assert session.info.licence == "MIT"


def test_missing_weights_say_what_to_run(tmp_path: Path) -> None:
    empty = Registry(tmp_path)

    with pytest.raises(ModelMissing, match="packshot models pull u2netp"):
        empty.session("u2netp")


def test_an_unknown_name_lists_the_known_ones(known: Registry) -> None:
    with pytest.raises(ConfigurationError, match="known are: tiny, reader"):
        known.path("tyni")


def test_the_charset_is_the_recogniser_s_alone(known: Registry) -> None:
    assert known.charset("reader") == ("a", "b")
    with pytest.raises(ConfigurationError, match="no text recogniser"):
        known.charset("tiny")


def test_changed_weights_are_refused_at_the_first_opening(known: Registry) -> None:
    path = known.path("tiny")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    with pytest.raises(ModelFailure, match="packshot models pull tiny"):
        known.session("tiny")


def test_weights_that_change_later_are_refused_too(known: Registry) -> None:
    known.session("tiny")
    path = known.path("tiny")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(0, 0))

    with pytest.raises(ModelFailure, match="have changed on disk"):
        known.session("tiny")


def test_a_copied_cache_works(known: Registry, tmp_path: Path) -> None:
    shutil.copytree(known.cache, tmp_path / "copy", copy_function=shutil.copyfile)

    Registry(tmp_path / "copy", manifest=known.manifest).session("tiny")


def test_a_lost_receipt_is_a_sentence(known: Registry) -> None:
    (known.folder("tiny") / "receipt.json").unlink()

    with pytest.raises(ModelFailure, match=r"receipt .* is damaged"):
        known.session("tiny")
