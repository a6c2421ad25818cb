"""The report is one safe, self-contained file."""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from packshot.errors import ConfigurationError, StorageUnavailable
from packshot.results import Signal
from packshot.store.views import JobView
from tests.unit.report import report_jobs as made
from workers.report import RunFacts, write_report

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"><svg onload=alert(3)>"
FACTS = RunFacts(started=made.STARTED, seconds=3.3, photos=3, peak_memory_mib=812.4)


class Parsed(HTMLParser):
    """Tags, attributes and visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.inline: dict[str, str] = {}
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in {"script", "style"}:
            self.inline[self._inside] = data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def values(self, name: str) -> list[str]:
        return [attrs[name] or "" for _, attrs in self.tags if name in attrs]


def _page(tmp_path: Path, jobs: Sequence[JobView], facts: RunFacts = FACTS) -> Parsed:
    path = tmp_path / "deep" / "report.html"
    write_report(path, jobs, made.blobs(), facts=facts)
    return Parsed(path.read_text(encoding="utf-8"))


def _three() -> list[JobView]:
    reason = Signal(
        code="text_unsure", field="text", message="The text is unsure.", value=0.3, threshold=0.85
    )
    return [
        made.finished_job(),
        made.finished_job("tea.jpg", reasons=(reason,)),
        made.failed_job(),
    ]


def test_what_comes_out_of_a_photo_is_never_markup(tmp_path: Path) -> None:
    seen = made.recognition(EVIL)
    reason = Signal(code=EVIL, message=EVIL, field=EVIL, value=2.0, threshold=1.0)
    jobs = [
        made.finished_job(
            EVIL, found=made.text(EVIL), seen=seen, sku=EVIL[:128], reasons=(reason,)
        ),
        made.failed_job(EVIL, message=EVIL),
    ]
    page, plain = _page(tmp_path, jobs), _page(tmp_path, _three()[1:])
    counts = Counter(tag for tag, _ in page.tags)
    assert counts["script"] == Counter(tag for tag, _ in plain.tags)["script"] == 1
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert page.text.count("<script>alert(1)</script>") >= 5
    assert all(uri.startswith("data:image/webp;") for uri in _pictures(page))


def test_nothing_is_fetched_and_only_own_code_runs(tmp_path: Path) -> None:
    page = _page(tmp_path, _three())
    addresses = page.values("src") + page.values("href")
    assert all(one.startswith(("data:", "#")) for one in addresses)
    assert "http" not in page.inline["style"]
    assert not page.values("style")
    policy = next(
        attrs["content"] or ""
        for _, attrs in page.tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for name in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.inline[name].encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_references_point_to_what_is_there(tmp_path: Path) -> None:
    page = _page(tmp_path, _three())
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    anchors = {one[1:] for one in page.values("href") if one.startswith("#")}
    assert anchors | set(page.values("aria-labelledby")) <= set(ids)
    assert all("alt" in attrs for tag, attrs in page.tags if tag == "img")


def test_the_summary_counts(tmp_path: Path) -> None:
    text = _page(tmp_path, _three()).text
    assert "3 photos : 1 accepted , 1 for review , 1 failed . 1.10 s per photo" in text
    assert "peak memory 812 MiB" in text


def test_a_failure_says_what_happened_and_what_to_do(tmp_path: Path) -> None:
    text = _page(tmp_path, [made.failed_job()]).text
    assert "torn.jpg" in text
    assert "corrupt_image The file is cut off." in text
    assert "Copy the file again" in text


def test_a_reason_shows_its_sentence_and_numbers(tmp_path: Path) -> None:
    text = _page(tmp_path, _three()).text
    assert "Text unsure The text is unsure. 30%, threshold 85%" in text


def test_provenance_is_there(tmp_path: Path) -> None:
    text = _page(tmp_path, [made.finished_job()]).text
    assert "reader 1 Apache-2.0 abababababab" in text


def test_a_page_without_pictures_says_so(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, [made.finished_job()], made.Blobs({}), facts=FACTS)
    page = Parsed(path.read_text(encoding="utf-8"))
    assert not _pictures(page)
    assert "The photo is not in the store any more." in page.text
    assert "The cut-out is not in the store any more." in page.text


def test_a_run_without_photos_has_a_page(tmp_path: Path) -> None:
    facts = RunFacts(started=made.STARTED, seconds=0.2, photos=0)
    assert "no photos" in _page(tmp_path, [], facts).text


def test_a_job_that_is_not_settled_is_shown_as_such(tmp_path: Path) -> None:
    text = _page(tmp_path, [made.job_view("slow.jpg", status="running")]).text
    assert "1 unfinished" in text


def test_every_picture_is_embedded_once(tmp_path: Path) -> None:
    # Contact sheet, photo, cut-out, one output.
    assert len(_pictures(_page(tmp_path, [made.finished_job()]))) == 4


def test_an_older_report_survives_a_failure(tmp_path: Path) -> None:
    class Down:
        def get(self, key: str) -> bytes:
            raise StorageUnavailable("The store does not answer.")

    path = tmp_path / "report.html"
    path.write_text("older", encoding="utf-8")
    with pytest.raises(StorageUnavailable):
        write_report(path, [made.finished_job()], Down(), facts=FACTS)
    assert path.read_text(encoding="utf-8") == "older"
    write_report(path, [made.finished_job()], made.blobs(), facts=FACTS)
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    path = tmp_path / "file" / "report.html"
    with pytest.raises(ConfigurationError, match=re.escape(str(path))):
        write_report(path, [], made.blobs(), facts=FACTS)


def _pictures(page: Parsed) -> list[str]:
    return [attrs["src"] or "" for tag, attrs in page.tags if tag == "img"]
