"""Whatever is sent: a state, a code and a sentence for a person, in the ledger and the event."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from packshot.imaging.naming import original_key
from tests.support.bad_input import Played, play
from tests.support.message_cases import MESSAGES, Letter
from tests.support.photo_cases import ENDLESS, MAX_BYTES, PHOTOS, Case
from tools.bad_input import TARGET, render

#: Memory that the whole table may take, bytes; one of its bombs unpacked would be 3.6 GB at least.
MEMORY = 600 * 1024**2
#: What the server's and our own socket buffers may hold beyond the limit, bytes.
IN_FLIGHT = 64 * 1024**2


@pytest.fixture(scope="module")
def memory() -> dict[str, int]:
    """Filled by the run: the resident memory before it, and the peak in it, bytes."""
    return {}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, memory: dict[str, int]) -> Iterator[Played]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PACKSHOT_")]:
            patch.delenv(name)
        before = _memory("VmRSS")
        if before is not None:
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        result = play(tmp_path_factory.mktemp("table"))
        peak = _memory("VmHWM")
        if before is not None and peak is not None:
            memory.update(before=before, peak=peak)
        yield result


def _memory(name: str) -> int | None:
    status = Path("/proc/self/status")
    found = re.search(rf"{name}:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else None


def test_the_table_names_each_row_once() -> None:
    names = [case.id for case in PHOTOS]
    assert len(names) == len(set(names)) > 60
    names = [letter.id for letter in MESSAGES]
    assert len(names) == len(set(names)) > 25


@pytest.mark.parametrize("case", PHOTOS, ids=lambda case: case.id)
def test_a_photo(played: Played, case: Case) -> None:
    answer = played.photos[case.id]
    assert (answer.state, answer.code) == (case.state, case.code)
    view = played.views[case.id]
    assert view.events == (answer.event,)
    data = answer.event["data"]
    assert data["job_id"] == case.id
    if answer.code is None:
        assert answer.event["type"] == "job.accepted"
        return
    assert case.says
    assert case.says in (answer.sentence or "")
    assert answer.event["type"] == "job.failed"
    assert (data["code"], played.place.anonymous(data["message"])) == (case.code, answer.sentence)
    (failed,) = [step for step in view.steps if step.status == "failed"]
    assert (data["step"], failed.code, failed.attempt) == (failed.name, case.code, 1)


@pytest.mark.parametrize("letter", MESSAGES, ids=lambda letter: letter.id)
def test_a_message(played: Played, letter: Letter) -> None:
    answer = played.messages[letter.id]
    assert answer.code == letter.code
    assert letter.says
    assert letter.says in (answer.sentence or "")
    assert answer.event["type"] == "job.rejected"
    data = answer.event["data"]
    assert (data["code"], data["message"]) == (answer.code, answer.sentence)


def test_every_sentence_says_something_to_a_person(played: Played) -> None:
    for name, answer in (played.photos | played.messages).items():
        if answer.sentence is not None:
            assert re.fullmatch(r".{20,}\.", answer.sentence), name
            assert "Traceback" not in answer.sentence, name
            assert answer.code != "internal_error", name


def test_photos_are_kept_even_when_they_are_refused(played: Played) -> None:
    blobs = played.embedded.services.blobs
    assert len(played.place.bytes_of) >= 50
    for name, data in played.place.bytes_of.items():
        digest = hashlib.sha256(data).hexdigest()
        prepared = next(one for one in played.views[name].steps if one.name == "prepare").result
        key = prepared["original_key"] if prepared else original_key(digest, "bin")
        assert blobs.get(key) == data, name


def test_no_name_leads_out_of_the_store(played: Played) -> None:
    root = (played.embedded.services.settings.data / "store").resolve()
    for view in played.views.values():
        for artifact in view.artifacts:
            assert artifact.key.startswith(("originals/", "work/", "outputs/"))
            assert (root / artifact.key).resolve().is_relative_to(root)
    top = {path.name for path in root.iterdir()}
    assert {"originals", "outputs"} <= top


def test_a_body_without_an_end_is_left_at_the_limit(played: Played) -> None:
    assert played.place.sent < MAX_BYTES + IN_FLIGHT < ENDLESS


def test_bombs_do_not_go_off(played: Played, memory: dict[str, int]) -> None:
    if not memory:
        pytest.skip("needs /proc")
    assert memory["peak"] - memory["before"] < MEMORY


def test_a_good_photo_goes_through_afterwards(played: Played) -> None:
    assert played.photos["a good photo"].state == "accepted"
    assert [step.status for step in played.views["a good photo"].steps] == ["done"] * 5


def test_the_page_in_the_documentation_is_fresh(played: Played) -> None:
    """`python -m tools.bad_input` writes it."""
    assert TARGET.read_text(encoding="utf-8") == render(played)
