"""Downloads go on where they were cut off and never glue two versions of a file together."""

import http.client
import io
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.weights import https
from models.weights.progress import Silent
from models.weights.pull import Outcome, pull
from packshot.errors import ModelFailure, SourceUnavailable
from tests.support.s3_server import Bucket
from tests.support.tiny_weights import entry, registry, tiny_bytes

BODY = bytes(range(256)) * 4096


@dataclass
class Site:
    """What the server does, and what it was asked."""

    url: str = ""
    body: bytes = BODY
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": '"one"'})
    #: Bytes after which the connection is cut, one per answer; whole answers afterwards.
    cuts: list[int] = field(default_factory=list)
    #: Status codes that are answered instead, one per request.
    refusals: list[int] = field(default_factory=list)
    redirect: str | None = None
    ranges: list[str | None] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            state.ranges.append(self.headers["Range"])
            if state.refusals:
                self.send_error(state.refusals.pop(0))
                return
            if state.redirect:
                self.send_response(302)
                self.send_header("Location", state.redirect)
                self.end_headers()
                return
            self._answer()

        def _answer(self) -> None:
            asked, start = self.headers["Range"], 0
            strong = [value for value in state.headers.values() if not value.startswith("W/")]
            if asked and self.headers["If-Range"] in strong:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                if start >= len(state.body):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(state.body)}")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(state.body) - 1}/{len(state.body)}"
                )
            else:
                self.send_response(200)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(state.body) - start))
            self.end_headers()
            stop = start + state.cuts.pop(0) if state.cuts else None
            self.wfile.write(state.body[start:stop])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/model.onnx"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Watch:
    """Counts what the download reports."""

    started: list[tuple[int, int | None]] = field(default_factory=list)
    advanced: int = 0
    pauses: list[float] = field(default_factory=list)

    def fetch(self, url: str, folder: Path) -> bytes:
        def advance(amount: int) -> None:
            self.advanced += amount

        return https.download(
            url,
            folder,
            started=lambda have, total: self.started.append((have, total)),
            advance=advance,
            pause=self.pauses.append,
        ).read_bytes()


def test_a_file_arrives_whole_and_is_counted(site: Site, tmp_path: Path) -> None:
    watch = Watch()

    assert watch.fetch(site.url, tmp_path) == BODY
    assert watch.started == [(0, len(BODY))]
    assert watch.advanced == len(BODY)
    assert watch.pauses == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"ETag": '"one"'}, id="by ETag"),
        pytest.param({"Last-Modified": "Mon, 23 Nov 2026 09:00:00 GMT"}, id="by date"),
        pytest.param(
            {"ETag": 'W/"one"', "Last-Modified": "Mon, 23 Nov 2026 09:00:00 GMT"},
            id="by date where the ETag is weak",
        ),
    ],
)
def test_a_cut_connection_is_continued(site: Site, tmp_path: Path, headers: dict[str, str]) -> None:
    site.headers = headers
    site.cuts = [1000, 5000]
    watch = Watch()

    assert watch.fetch(site.url, tmp_path) == BODY
    assert site.ranges == [None, "bytes=1000-", "bytes=6000-"]
    assert watch.started == [(0, len(BODY)), (1000, len(BODY)), (6000, len(BODY))]


def test_a_server_without_validators_starts_again(site: Site, tmp_path: Path) -> None:
    site.headers, site.cuts = {}, [1000]

    assert Watch().fetch(site.url, tmp_path) == BODY
    assert site.ranges == [None, None]


def test_a_file_that_changed_meanwhile_starts_again(site: Site, tmp_path: Path) -> None:
    site.cuts = [1000] + [0] * https.ATTEMPTS
    with pytest.raises(SourceUnavailable):
        Watch().fetch(site.url, tmp_path)

    site.body, site.headers = BODY[::-1], {"ETag": '"two"'}

    assert Watch().fetch(site.url, tmp_path) == BODY[::-1]


def test_a_download_that_was_complete_is_not_repeated(site: Site, tmp_path: Path) -> None:
    Watch().fetch(site.url, tmp_path)
    watch = Watch()

    assert watch.fetch(site.url, tmp_path) == BODY
    assert watch.advanced == 0


@pytest.mark.parametrize(
    ("refusals", "pauses"),
    [
        pytest.param([503], [1.0], id="once"),
        pytest.param([429, 500], [1.0, 2.0], id="twice"),
    ],
)
def test_a_busy_server_is_asked_again(
    site: Site, tmp_path: Path, refusals: list[int], pauses: list[float]
) -> None:
    site.refusals = refusals
    watch = Watch()

    assert watch.fetch(site.url, tmp_path) == BODY
    assert watch.pauses == pauses


@pytest.mark.parametrize(
    ("status", "asked", "says"),
    [
        pytest.param(404, 1, "answers 404", id="not there: at once"),
        pytest.param(403, 1, "answers 403", id="forbidden: at once"),
        pytest.param(503, https.ATTEMPTS, "cannot be reached", id="busy for too long"),
    ],
)
def test_a_server_that_refuses_is_a_sentence(
    site: Site, tmp_path: Path, status: int, asked: int, says: str
) -> None:
    site.refusals = [status] * https.ATTEMPTS

    with pytest.raises(SourceUnavailable, match=says):
        Watch().fetch(site.url, tmp_path)

    assert site.ranges == [None] * asked


def test_nobody_listening_is_a_sentence(site: Site, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        Watch().fetch("http://127.0.0.1:9/model.onnx", tmp_path)


@pytest.mark.parametrize(
    ("start", "target", "allowed"),
    [
        ("https://a/x", "https://b/x", True),
        ("https://a/x", "http://b/x", False),
        ("http://a/x", "http://b/x", True),
    ],
)
def test_a_redirect_never_gives_encryption_up(start: str, target: str, allowed: bool) -> None:
    handler = https.StaySecure()
    request = urllib.request.Request(start)  # noqa: S310
    arguments = (request, io.BytesIO(), 302, "Found", http.client.HTTPMessage(), target)

    if allowed:
        assert handler.redirect_request(*arguments) is not None
    else:
        with pytest.raises(SourceUnavailable, match="unencrypted"):
            handler.redirect_request(*arguments)


def test_a_pull_that_was_cut_off_is_continued_by_the_next(site: Site, tmp_path: Path) -> None:
    site.body = tiny_bytes()
    mine = entry(site.body, {"kind": "https", "url": site.url})
    known = registry(tmp_path / "cache", mine)
    site.cuts = [100]

    class DiesMidway(Silent):
        def advance(self, name: str, amount: int) -> None:
            if amount:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(known, ["tiny"], progress=DiesMidway())

    (pulled,) = pull(known, ["tiny"])

    assert pulled.outcome is Outcome.PULLED
    assert site.ranges == [None, "bytes=100-"]
    assert list((known.cache / ".downloads").iterdir()) == []


def test_wrong_bytes_are_refused_and_not_kept(site: Site, tmp_path: Path) -> None:
    known = registry(tmp_path, entry(b"promised", {"kind": "https", "url": site.url}))

    with pytest.raises(ModelFailure, match="other bytes than expected"):
        pull(known, ["tiny"])

    assert list((tmp_path / ".downloads").iterdir()) == []


@pytest.mark.services
def test_weights_come_from_an_s3_store(
    s3: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)
    monkeypatch.setenv("AWS_DEFAULT_REGION", s3.region)
    s3.client().put_object(Bucket=s3.name, Key="m/tiny.onnx", Body=tiny_bytes())
    place = {"kind": "s3", "bucket": s3.name, "endpoint": s3.endpoint}
    sources = [place | {"key": "m/missing.onnx"}, place | {"key": "m/tiny.onnx"}]

    (pulled,) = pull(registry(tmp_path, entry(tiny_bytes(), *sources)), ["tiny"])

    assert pulled.receipt.source == f"s3://{s3.name}/m/tiny.onnx"
