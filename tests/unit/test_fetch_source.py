"""Every kind of address goes through one door."""

import base64
import os
import socket
from pathlib import Path
from typing import ClassVar

import pytest

from packshot.contract import MAX_DATA_URI
from packshot.errors import (
    ForbiddenAddress,
    ImageTooLarge,
    InvalidMessage,
    NotFound,
    PackshotError,
    SourceUnavailable,
)
from packshot.fetch import Fetched, Fetcher, Policy


class Buckets:
    """Two objects in two buckets."""

    objects: ClassVar = {
        ("uploads", "2026/茶 1.jpg"): b"tea",
        ("uploads", "a?b#c%20d.jpg"): b"odd",
        ("secret", "x"): b"no",
    }

    def read(self, bucket: str, key: str, limit: int) -> bytes:
        try:
            data = self.objects[bucket, key]
        except KeyError as error:
            raise NotFound("nothing there") from error
        if len(data) > limit:
            raise ImageTooLarge("too large")
        return data


def test_buckets_that_are_named_in_the_settings() -> None:
    fetcher = Fetcher(Policy(allowed_buckets=("uploads",)), Buckets())
    assert fetcher.fetch("s3://uploads/2026/茶 1.jpg") == Fetched(b"tea", "茶 1.jpg")
    assert fetcher.fetch("s3://uploads/a?b#c%20d.jpg") == Fetched(b"odd", "a?b#c%20d.jpg")
    with pytest.raises(NotFound):
        fetcher.fetch("s3://uploads/none")
    with pytest.raises(ForbiddenAddress, match="PACKSHOT_SOURCE_BUCKETS"):
        fetcher.fetch("s3://secret/x")


def test_any_bucket() -> None:
    assert Fetcher(Policy(allowed_buckets=None), Buckets()).fetch("s3://secret/x").data == b"no"


def test_no_bucket_at_all() -> None:
    with pytest.raises(ForbiddenAddress):
        Fetcher(Policy(allowed_buckets=None)).fetch("s3://uploads/x")
    with pytest.raises(ForbiddenAddress):
        Fetcher(Policy(), Buckets()).fetch("s3://uploads/2026/茶 1.jpg")


def test_the_limit_reaches_the_bucket() -> None:
    fetcher = Fetcher(Policy(allowed_buckets=None, max_bytes=2), Buckets())
    with pytest.raises(ImageTooLarge):
        fetcher.fetch("s3://uploads/2026/茶 1.jpg")


@pytest.mark.parametrize(
    "uri", ["s3://uploads", "s3://uploads/", "s3:///key", "s3:uploads/key", "s3://a@b/key"]
)
def test_malformed_bucket_addresses(uri: str) -> None:
    with pytest.raises(InvalidMessage, match="s3://bucket/key"):
        Fetcher(Policy(allowed_buckets=None), Buckets()).fetch(uri)


@pytest.mark.parametrize(
    ("uri", "data"),
    [
        ("data:image/png;base64," + base64.b64encode(b"\x89PNG").decode(), b"\x89PNG"),
        ("DATA:;BASE64,aGk=", b"hi"),
        ("data:image/png;name=x;base64,aGk%3D", b"hi"),
        ("data:image/svg+xml,%3Csvg/%3E", b"<svg/>"),
        ("data:,", b""),
    ],
    ids=["base64", "capitals", "escaped", "percent", "empty"],
)
def test_small_pictures_inside_the_address(uri: str, data: bytes) -> None:
    assert Fetcher(Policy()).fetch(uri) == Fetched(data, "image")


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("data:image/png;base64", InvalidMessage),
        ("data:image/png;base64,@@@@", InvalidMessage),
        ("data:image/png;base64,aGk", InvalidMessage),
        ("data:image/png;base64,茶", InvalidMessage),
        ("data:image/png;base64," + "A" * MAX_DATA_URI, ImageTooLarge),
        ("data:," + "x" * 101, ImageTooLarge),
    ],
    ids=["no comma", "alphabet", "padding", "unicode", "contract", "policy"],
)
def test_what_is_wrong_inside_the_address(uri: str, error: type[PackshotError]) -> None:
    with pytest.raises(error):
        Fetcher(Policy(max_bytes=100)).fetch(uri)


@pytest.mark.parametrize(
    "uri",
    ["file:///etc/hostname", "/etc/hostname", "photo.jpg", "../photo.jpg", "C:\\photo.jpg", ""],
)
def test_files_are_for_the_embedded_run_alone(uri: str) -> None:
    with pytest.raises(ForbiddenAddress, match="File paths"):
        Fetcher(Policy()).fetch(uri)


@pytest.mark.parametrize("uri", ["ftp://h/x", "gopher://h", "javascript:x", "jar:file:///x"])
def test_other_schemes_are_refused(uri: str) -> None:
    with pytest.raises(ForbiddenAddress, match="has the scheme"):
        Fetcher(Policy(allow_files=True)).fetch(uri)


def test_files(tmp_path: Path) -> None:
    fetcher = Fetcher(Policy(allow_files=True, max_bytes=5))
    photo = tmp_path / "正面 #1.jpg"
    photo.write_bytes(b"12345")
    assert fetcher.fetch(photo.as_uri()) == Fetched(b"12345", photo.name)
    assert fetcher.fetch(str(photo)) == Fetched(b"12345", photo.name)
    photo.write_bytes(b"123456")
    with pytest.raises(ImageTooLarge, match="more than 5 bytes"):
        fetcher.fetch(str(photo))


def test_what_is_no_file(tmp_path: Path) -> None:
    fetcher = Fetcher(Policy(allow_files=True))
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe", Path("/dev/zero"), "a\x00b"):
        with pytest.raises(NotFound):
            fetcher.fetch(str(path))
    with pytest.raises(ForbiddenAddress, match="this machine"):
        fetcher.fetch("file://server/share/x.jpg")


class FakeServer:
    """Answers from a list over socket pairs: the real client runs, no network is touched."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.connected: list[tuple[str, int]] = []
        self.requests: list[socket.socket] = []

    def connect(self, address: str, port: int, timeout_s: float) -> socket.socket:
        self.connected.append((address, port))
        ours, theirs = socket.socketpair()
        ours.sendall(self.answers.pop(0))
        ours.shutdown(socket.SHUT_WR)
        self.requests.append(ours)
        return theirs

    def asked(self) -> list[bytes]:
        found = []
        for end in self.requests:
            with end:
                found.append(end.recv(65536))
        return found


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nphoto"


def test_the_address_that_was_checked_is_the_one_that_is_used() -> None:
    """Rebinding: the name's owner answers our check with a public address, the next look-up not."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    server = FakeServer(OK)
    fetcher = Fetcher(
        Policy(allow_http=True),
        resolve=lambda host, port: answers.pop(0),
        connect=server.connect,
    )
    assert fetcher.fetch("http://rebind.example/a/b.jpg?x=1") == Fetched(b"photo", "b.jpg")
    assert server.connected == [("93.184.216.34", 80)]
    assert answers == [["127.0.0.1"]]
    head = server.asked()[0]
    assert head.startswith(b"GET /a/b.jpg?x=1 HTTP/1.1\r\n")
    assert b"\r\nHost: rebind.example\r\n" in head
    assert b"\r\nAccept-Encoding: identity\r\n" in head


def _redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "//127.0.0.1/",
        "http://[::1]/",
        "http://user@cdn.example/",
        "http://cdn.example:22/",
        "file:///etc/passwd",
        "gopher://cdn.example/",
        "http://[::1",
        "\\\\127.0.0.1\\x",
    ],
)
def test_redirects_are_checked_like_the_first_address(location: str) -> None:
    server = FakeServer(_redirect(location))
    names = {"cdn.example": ["93.184.216.34"], "localhost": ["127.0.0.1"]}
    fetcher = Fetcher(
        Policy(allow_http=True), resolve=lambda host, port: names[host], connect=server.connect
    )
    with pytest.raises(ForbiddenAddress):
        fetcher.fetch("http://cdn.example/a.jpg")
    assert server.connected == [("93.184.216.34", 80)]
    server.asked()


def test_a_name_is_checked_again_on_every_redirect() -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    server = FakeServer(_redirect("/b.jpg"))
    fetcher = Fetcher(
        Policy(allow_http=True), resolve=lambda host, port: answers.pop(0), connect=server.connect
    )
    with pytest.raises(ForbiddenAddress):
        fetcher.fetch("http://rebind.example/a.jpg")
    server.asked()


def test_the_next_address_is_tried_when_one_is_down() -> None:
    server = FakeServer(OK)

    def connect(address: str, port: int, timeout_s: float) -> socket.socket:
        if address == "93.184.216.34":
            raise ConnectionRefusedError
        return server.connect(address, port, timeout_s)

    fetcher = Fetcher(
        Policy(allow_http=True),
        resolve=lambda host, port: ["93.184.216.34", "93.184.216.35"],
        connect=connect,
    )
    assert fetcher.fetch("http://cdn.example/a.jpg").data == b"photo"
    assert server.connected == [("93.184.216.35", 80)]
    server.asked()


@pytest.mark.parametrize(
    ("number", "error"),
    [(socket.EAI_NONAME, NotFound), (socket.EAI_AGAIN, SourceUnavailable)],
    ids=["unknown name", "resolver is down"],
)
def test_names_that_cannot_be_looked_up(number: int, error: type[PackshotError]) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(number, "no")

    with pytest.raises(error, match=r"cdn\.example"):
        Fetcher(Policy(), resolve=resolve).fetch("https://cdn.example/a.jpg")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/b.jpg", "b.jpg"),
        ("/", "image"),
        ("/a/", "image"),
        ("/%E8%8C%B6.jpg", "茶.jpg"),
        ("/..%2f..%2fetc%2fpasswd", "passwd"),
        ("/..", "image"),
        ("/a%0d%0ab.jpg", "ab.jpg"),
        ("/a%5Cb.jpg", "b.jpg"),
        ("/" + "x" * 300 + ".jpg", "x" * 196 + ".jpg"),
    ],
    ids=["plain", "none", "folder", "chinese", "traversal", "dots", "lines", "backslash", "long"],
)
def test_file_names(path: str, name: str) -> None:
    server = FakeServer(OK)
    fetcher = Fetcher(
        Policy(allow_http=True),
        resolve=lambda host, port: ["93.184.216.34"],
        connect=server.connect,
    )
    assert fetcher.fetch("http://cdn.example" + path).filename == name
    server.asked()
