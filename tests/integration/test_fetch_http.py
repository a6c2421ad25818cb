"""Downloading from a real web server that behaves, and from one that does not."""

import gzip
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from packshot.errors import (
    ForbiddenAddress,
    ImageTooLarge,
    NotFound,
    PackshotError,
    SourceUnavailable,
    UnsupportedFormat,
)
from packshot.fetch import Fetched, Fetcher, Policy
from tests.support.fixtures import need
from tests.support.server import NotAvailable, free_ports
from tests.support.web_server import Visitor, WebServer, certificate, listener

PHOTO = bytes(range(256)) * 400
#: Everything happens on this machine, which only a host named as in-house may be.
POLICY = Policy(
    max_bytes=200_000, deadline_s=20, allow_http=True, private_hosts=("localhost", "127.0.0.1")
)
#: For servers that never finish, seconds: what is measured against it are whole seconds more.
SHORT_S = 0.5


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    server.pages["/photo.jpg"] = lambda visitor: visitor.answer(200, PHOTO)
    yield server
    server.close()


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(POLICY)


def test_a_photo_with_its_length(web: WebServer, fetcher: Fetcher) -> None:
    assert fetcher.fetch(web.url("/photo.jpg")) == Fetched(PHOTO, "photo.jpg")
    assert fetcher.fetch(web.url("/photo.jpg", "127.0.0.1")).data == PHOTO


def test_a_photo_without_its_length(web: WebServer, fetcher: Fetcher) -> None:
    def page(visitor: Visitor) -> None:
        visitor.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + PHOTO)

    web.pages["/a"] = page
    assert fetcher.fetch(web.url("/a")).data == PHOTO


def test_a_photo_in_chunks(web: WebServer, fetcher: Fetcher) -> None:
    def page(visitor: Visitor) -> None:
        visitor.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (PHOTO[:10], PHOTO[10:90_000], PHOTO[90_000:]):
            visitor.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        visitor.wfile.write(b"0\r\n\r\n")

    web.pages["/a"] = page
    assert fetcher.fetch(web.url("/a")).data == PHOTO


def test_this_machine_is_out_of_reach_unless_it_is_named(web: WebServer) -> None:
    fetcher = Fetcher(replace(POLICY, private_hosts=()))
    for host in ("localhost", "127.0.0.1", "[::1]"):
        with pytest.raises(ForbiddenAddress):
            fetcher.fetch(web.url("/photo.jpg", host))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(web: WebServer, fetcher: Fetcher, status: int) -> None:
    web.pages["/first.jpg"] = lambda visitor: visitor.answer(status, location="second.jpg")
    web.pages["/second.jpg"] = lambda visitor: visitor.answer(
        status, location=web.url("/photo.jpg", "127.0.0.1")
    )
    assert fetcher.fetch(web.url("/first.jpg")) == Fetched(PHOTO, "first.jpg")


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://10.0.0.1/",
        "http://127.0.0.2/",
        "ftp://localhost/photo.jpg",
        "file:///etc/passwd",
    ],
)
def test_redirects_lead_nowhere_inside(web: WebServer, fetcher: Fetcher, location: str) -> None:
    web.pages["/a"] = lambda visitor: visitor.answer(302, location=location)
    with pytest.raises(ForbiddenAddress):
        fetcher.fetch(web.url("/a"))


def test_redirects_in_a_circle(web: WebServer, fetcher: Fetcher) -> None:
    web.pages["/a"] = lambda visitor: visitor.answer(302, location="/a")
    with pytest.raises(NotFound, match="more than 3 times"):
        fetcher.fetch(web.url("/a"))


def test_a_redirect_to_nowhere(web: WebServer, fetcher: Fetcher) -> None:
    web.pages["/a"] = lambda visitor: visitor.answer(302)
    with pytest.raises(NotFound, match="nowhere"):
        fetcher.fetch(web.url("/a"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (204, NotFound),
        (206, NotFound),
        (304, NotFound),
        (400, NotFound),
        (401, NotFound),
        (403, NotFound),
        (404, NotFound),
        (410, NotFound),
        (408, SourceUnavailable),
        (429, SourceUnavailable),
        (500, SourceUnavailable),
        (502, SourceUnavailable),
        (503, SourceUnavailable),
    ],
)
def test_what_the_status_means(
    web: WebServer, fetcher: Fetcher, status: int, error: type[PackshotError]
) -> None:
    web.pages["/a?key=secret"] = lambda visitor: visitor.answer(status)
    with pytest.raises(error, match=str(status)) as caught:
        fetcher.fetch(web.url("/a?key=secret"))
    assert "secret" not in str(caught.value)


def test_no_login_is_a_sentence_of_its_own(web: WebServer, fetcher: Fetcher) -> None:
    web.pages["/a"] = lambda visitor: visitor.answer(403)
    with pytest.raises(NotFound, match="fresh signed one"):
        fetcher.fetch(web.url("/a"))


def test_a_length_over_the_limit_is_not_even_read(web: WebServer, fetcher: Fetcher) -> None:
    def page(visitor: Visitor) -> None:
        visitor.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 200001\r\n\r\n")
        web.stopping.wait(30)

    web.pages["/a"] = page
    with pytest.raises(ImageTooLarge, match="200,000"):
        fetcher.fetch(web.url("/a"))


@pytest.mark.parametrize("chunked", [False, True], ids=["plain", "chunked"])
def test_an_endless_body_ends_at_the_limit(web: WebServer, fetcher: Fetcher, chunked: bool) -> None:
    def page(visitor: Visitor) -> None:
        head = b"Transfer-Encoding: chunked\r\n" if chunked else b""
        visitor.wfile.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        while not web.stopping.is_set():
            visitor.wfile.write(b"400\r\n%b\r\n" % (b"x" * 1024) if chunked else b"x" * 1024)

    web.pages["/a"] = page
    with pytest.raises(ImageTooLarge, match="200,000"):
        fetcher.fetch(web.url("/a"))


def test_a_packed_bomb_is_not_unpacked(web: WebServer, fetcher: Fetcher) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < POLICY.max_bytes
    web.pages["/a"] = lambda visitor: visitor.answer(200, bomb, content_encoding="gzip")
    with pytest.raises(UnsupportedFormat, match="packed as 'gzip'"):
        fetcher.fetch(web.url("/a"))


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["status", "headers", "body", "body with length", "chunk size"],
)
def test_drop_by_drop_ends_at_the_deadline(web: WebServer, start: bytes) -> None:
    """A time-out per read never fires here: something arrives every few milliseconds."""

    def page(visitor: Visitor) -> None:
        visitor.wfile.write(start)
        while not web.stopping.wait(0.05):
            visitor.wfile.write(b"0")
            if b"Length" in start:
                web.stopping.wait(30)

    web.pages["/a"] = page
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"within 0\.5 seconds"):
        Fetcher(replace(POLICY, deadline_s=SHORT_S)).fetch(web.url("/a"))
    assert time.monotonic() - began < SHORT_S + 5


def test_silence_ends_at_the_deadline() -> None:
    with listener() as silent:
        port = silent.getsockname()[1]
        fetcher = Fetcher(replace(POLICY, deadline_s=SHORT_S))
        for scheme in ("http", "https"):
            with pytest.raises(SourceUnavailable, match=r"within 0\.5 seconds"):
                fetcher.fetch(f"{scheme}://localhost:{port}/a")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n",
    ],
    ids=[
        "nothing",
        "half a line",
        "nonsense",
        "short body",
        "no last chunk",
        "short chunk",
        "chunk size",
        "many headers",
        "long header",
    ],
)
def test_broken_answers_are_worth_another_try(
    web: WebServer, fetcher: Fetcher, answer: bytes
) -> None:
    def page(visitor: Visitor) -> None:
        visitor.wfile.write(answer)

    web.pages["/a"] = page
    with pytest.raises(SourceUnavailable):
        fetcher.fetch(web.url("/a"))


def test_nobody_listens(fetcher: Fetcher) -> None:
    with pytest.raises(SourceUnavailable, match="ConnectionRefusedError"):
        fetcher.fetch(f"http://localhost:{free_ports(1)[0]}/a")


@pytest.fixture(scope="module")
def papers(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> tuple[Path, Path]:
    """A certificate for localhost and its key."""
    try:
        return certificate(tmp_path_factory.mktemp("tls"))
    except NotAvailable as error:
        need(pytestconfig, "TLS certificates", error)


@pytest.fixture
def secure(papers: tuple[Path, Path]) -> Iterator[WebServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*papers)
    server = WebServer(context)
    server.pages["/photo.jpg"] = lambda visitor: visitor.answer(200, PHOTO)
    yield server
    server.close()


def _trusting(papers: tuple[Path, Path]) -> Fetcher:
    return Fetcher(POLICY, tls=ssl.create_default_context(cafile=papers[0]))


def test_https_checks_the_name_and_not_the_pinned_address(
    secure: WebServer, papers: tuple[Path, Path]
) -> None:
    assert _trusting(papers).fetch(secure.url("/photo.jpg")).data == PHOTO


def test_https_refuses_a_certificate_for_another_name(
    secure: WebServer, papers: tuple[Path, Path]
) -> None:
    with pytest.raises(SourceUnavailable, match=r"certificate: .*127\.0\.0\.1"):
        _trusting(papers).fetch(secure.url("/photo.jpg", "127.0.0.1"))


def test_https_refuses_an_unknown_authority(secure: WebServer, fetcher: Fetcher) -> None:
    with pytest.raises(SourceUnavailable, match="certificate: self"):
        fetcher.fetch(secure.url("/photo.jpg"))


def test_https_never_falls_back_to_http(
    secure: WebServer, web: WebServer, papers: tuple[Path, Path]
) -> None:
    secure.pages["/a"] = lambda visitor: visitor.answer(302, location=web.url("/photo.jpg"))
    with pytest.raises(ForbiddenAddress, match="plain http"):
        _trusting(papers).fetch(secure.url("/a"))


def test_http_may_lead_to_https(
    secure: WebServer, web: WebServer, papers: tuple[Path, Path]
) -> None:
    web.pages["/a"] = lambda visitor: visitor.answer(302, location=secure.url("/photo.jpg"))
    assert _trusting(papers).fetch(web.url("/a")).data == PHOTO


def test_https_body_that_breaks_off_is_noticed(
    secure: WebServer, papers: tuple[Path, Path]
) -> None:
    def page(visitor: Visitor) -> None:
        visitor.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")

    secure.pages["/a"] = page
    with pytest.raises(SourceUnavailable):
        _trusting(papers).fetch(secure.url("/a"))
