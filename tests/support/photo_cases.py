"""Photos that cannot work, each with the code and the words of its refusal."""

import base64
import gzip
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packshot.contract import Image, Job, Output, Template
from tests.support import bad_photos as make
from tests.support.web_server import Page, Visitor, WebServer

#: Largest photo of the installation, bytes: small, so that a body without an end is soon too large.
MAX_BYTES = 2 * 1024 * 1024
#: Bytes that the endless page sends at most.
ENDLESS = 10 * 1024**3
#: How a job ends that was not refused; `review` where a rule found something.
WELL = "accepted"


@dataclass
class Place:
    """Where the photos lie: a folder, and a web server on this machine."""

    folder: Path
    web: WebServer
    #: Bytes of every photo by its row: the store must have them afterwards.
    bytes_of: dict[str, bytes] = field(default_factory=dict)
    #: Bytes that the endless page got rid of.
    sent: int = 0

    def file(self, name: str, data: bytes) -> str:
        """Write a file and return its path."""
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    def sparse(self, name: str, size: int) -> str:
        """A file that is long and takes no room."""
        path = self.folder / name
        with path.open("wb") as file:
            file.truncate(size)
        return str(path)

    def page(self, path: str, page: Page) -> str:
        """Serve a page and return its address."""
        self.web.pages[path] = page
        return self.web.url(path)

    def picture(self, path: str, data: bytes) -> str:
        """Serve bytes and return their address."""
        return self.page(path, lambda visitor: visitor.answer(200, data))

    def endless(self, visitor: Visitor) -> None:
        """Ten gigabytes whose length nobody was told."""
        visitor.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff")
        block = bytes(64 * 1024)
        while self.sent < ENDLESS:
            visitor.wfile.write(block)
            self.sent += len(block)

    def anonymous(self, text: str) -> str:
        """A sentence without this machine's own names in it."""
        return text.replace(str(self.folder), "/photos")


@dataclass(frozen=True)
class Case:
    """One photo: `data` is written to a file or given to `address`, which returns the URI."""

    id: str
    data: bytes | None = None
    address: Callable[[Place], str] | None = None
    #: The final state, and the code where it is `failed`.
    state: str = "failed"
    code: str | None = None
    #: A part of the sentence.
    says: str = ""
    #: Other fields of the message.
    more: Callable[[Place], dict[str, Any]] = lambda _: {}

    def job(self, place: Place) -> Job:
        """The message that names the photo."""
        if self.data is not None:
            place.bytes_of[self.id] = self.data
        address = self.address(place) if self.address else self._file(place)
        fields: dict[str, Any] = {
            "version": 1,
            "source": "table",
            "job_id": self.id,
            "image": Image(uri=address),
        }
        return Job.model_validate(fields | self.more(place))

    def _file(self, place: Place) -> str:
        assert self.data is not None
        return place.file(re.sub(r"\W+", "-", self.id), self.data)


def refused(id: str, code: str, says: str, data: bytes) -> Case:  # noqa: A002
    """A row whose bytes are refused."""
    return Case(id, data, code=code, says=says)


def unreachable(id: str, code: str, says: str, address: Callable[[Place], str]) -> Case:  # noqa: A002
    """A row whose bytes never come."""
    return Case(id, None, address, code=code, says=says)


def fine(id: str, data: bytes, address: Callable[[Place], str] | None = None) -> Case:  # noqa: A002
    """A row that looks odd and is none."""
    return Case(id, data, address, state=WELL)


def _data_uri(data: bytes, kind: str = "image/jpeg") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _status(path: str, status: int, **headers: str) -> Callable[[Place], str]:
    return lambda at: at.page(path, lambda visitor: visitor.answer(status, b"", **headers))


def _broken_off(visitor: Visitor) -> None:
    visitor.answer(200, make.photo(5)[:500], content_length="5000")


_TEXT = b"Dear colleagues, the photos follow next week.\n"
_SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>'


def template(id: str, code: str, says: str, address: Callable[[Place], str]) -> Case:  # noqa: A002
    """A row whose photo is good, while the picture to put behind it is not."""

    def more(at: Place) -> dict[str, Any]:
        return {"outputs": (Output(name="on", background=Template(uri=address(at))),)}

    return Case(id, make.photo(6), code=code, says=says, more=more)


PHOTOS: tuple[Case, ...] = (
    # Not a photo.
    refused("plain text", "unsupported_format", "looks like plain text", _TEXT),
    refused("an HTML page", "unsupported_format", "an HTML page", b"<!DOCTYPE html><p>Hello</p>"),
    refused("a PDF", "unsupported_format", "a PDF document", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
    refused("an SVG", "unsupported_format", "an SVG drawing", _SVG),
    refused("a ZIP archive", "unsupported_format", "a ZIP archive", make.archive(7)),
    refused("a JSON error", "unsupported_format", "JSON text", b'{"error": "forbidden"}'),
    refused("an XML error", "unsupported_format", "an XML document", b"<Error><Code>x</Code>"),
    refused("gzip", "unsupported_format", "gzip", gzip.compress(make.photo(8), mtime=0)),
    refused("base64 text", "unsupported_format", "base64", base64.b64encode(make.photo(9))),
    refused("a film", "unsupported_format", "a video", b"\0\0\0\x18ftypisom" + bytes(64)),
    refused("random bytes", "unsupported_format", "unknown kind", random.Random(7).randbytes(2048)),
    # Broken on the way.
    refused("an empty file", "corrupt_image", "empty (0 bytes)", b""),
    refused("zero bytes only", "corrupt_image", "nothing but 4,096 zero bytes", bytes(4096)),
    refused("half a JPEG", "corrupt_image", "ends early", make.cut_off(make.photo(10))),
    refused("half a PNG", "corrupt_image", "ends early", make.cut_off(make.photo(11, "PNG"))),
    refused("half a WebP", "corrupt_image", "ends early", make.cut_off(make.photo(12, "WEBP"))),
    refused("half a GIF", "corrupt_image", "GIF", make.cut_off(make.photo(13, "GIF"))),
    refused("half a TIFF", "corrupt_image", "TIFF", make.cut_off(make.photo(14, "TIFF"))),
    refused("half an AVIF", "corrupt_image", "AVIF", make.cut_off(make.photo(15, "AVIF"))),
    refused("a scratched PNG", "corrupt_image", "damaged", make.scratched(make.photo(16, "PNG"))),
    refused("a JPEG's first bytes", "corrupt_image", "JPEG", make.photo(17)[:20]),
    refused("a HEIC that is none", "corrupt_image", "HEIC", b"\0\0\0\x18ftypheic" + bytes(64)),
    # Too large, too small.
    refused("a PNG bomb", "image_too_large", "60,000 x 60,000 pixels", make.png_bomb()),
    refused("a JPEG bomb", "image_too_large", "60,000 x 60,000 pixels", make.jpeg_bomb()),
    refused("a GIF bomb", "image_too_large", "60,000 x 60,000 pixels", make.gif_bomb()),
    refused("a BMP bomb", "image_too_large", "60,000 x 60,000 pixels", make.bmp_bomb()),
    refused("a TIFF bomb", "image_too_large", "60,000 x 60,000 pixels", make.tiff_bomb()),
    refused("1 x 1 pixel", "image_too_small", "only 1 x 1", make.dot()),
    unreachable(
        "a file of 10 GB",
        "image_too_large",
        "more than 2,097,152 bytes",
        lambda at: at.sparse("huge.jpg", ENDLESS),
    ),
    unreachable(
        "a body of 10 GB without a length",
        "image_too_large",
        "more than the 2,097,152 bytes",
        lambda at: at.page("/endless.jpg", at.endless),
    ),
    unreachable(
        "a length of 10 GB",
        "image_too_large",
        "more than the 2,097,152 bytes",
        _status("/long.jpg", 200, content_length=str(ENDLESS)),
    ),
    # Odd, and fine.
    fine("an animated GIF", make.animation(20, "GIF")),
    fine("an animated WebP", make.animation(30, "WEBP")),
    fine("an animated PNG", make.animation(40, "PNG")),
    fine("a CMYK JPEG", make.cmyk(50)),
    fine("a PNG of 16 bits", make.deep(51, "PNG")),
    fine("a TIFF of 16 bits", make.deep(52, "TIFF")),
    fine("a palette with alpha", make.palette_with_alpha(53)),
    fine("EXIF garbage", make.exif_garbage(54)),
    fine("a photo with a tail", make.photo(55) + b"tail" * 100),
    fine("a BMP", make.photo(62, "BMP")),
    fine("a HEIC", make.heic(63)),
    fine("an AVIF", make.photo(64, "AVIF")),
    fine("the wrong ending", make.photo(56), lambda at: at.file("photo.txt", make.photo(56))),
    fine("the wrong media type", make.photo(57), lambda _: _data_uri(make.photo(57), "text/html")),
    fine(
        "a path upwards in the name",
        make.photo(58),
        lambda at: at.picture("/..%2F..%2F..%2Fetc%2Fpasswd", make.photo(58)),
    ),
    fine("a device's name", make.photo(59), lambda at: at.picture("/CON.jpg", make.photo(59))),
    fine(
        "a NUL in the name", make.photo(60), lambda at: at.picture("/a%00b%0A.jpg", make.photo(60))
    ),
    fine(
        "a name of 3,000 letters",
        make.photo(61),
        lambda at: at.picture(f"/{'n' * 3000}.jpg", make.photo(61)),
    ),
    # Addresses.
    unreachable(
        "a missing file", "not_found", "No such file", lambda at: str(at.folder / "none.jpg")
    ),
    unreachable("a folder", "not_found", "is not a file", lambda at: str(at.folder)),
    unreachable("a device", "not_found", "is not a file", lambda _: "/dev/zero"),
    unreachable(
        "a path upwards to nothing",
        "not_found",
        "cannot be read",
        lambda at: f"{at.folder}/../../../../../../none",
    ),
    unreachable("HTTP 404", "not_found", "HTTP 404", _status("/404.jpg", 404)),
    unreachable("HTTP 403", "not_found", "needs no login", _status("/403.jpg", 403)),
    unreachable("HTTP 500 for ever", "source_unavailable", "HTTP 500", _status("/500.jpg", 500)),
    unreachable(
        "a download that breaks off",
        "source_unavailable",
        "broke off",
        lambda at: at.page("/broken.jpg", _broken_off),
    ),
    unreachable(
        "a packed answer",
        "unsupported_format",
        "packed as 'gzip'",
        _status("/packed.jpg", 200, content_encoding="gzip"),
    ),
    unreachable(
        "a redirect to the metadata service",
        "forbidden_address",
        "not in the open Internet",
        _status("/meta.jpg", 302, location="http://169.254.169.254/latest/meta-data/"),
    ),
    unreachable(
        "a redirect to itself",
        "not_found",
        "redirects more than 3 times",
        _status("/loop.jpg", 302, location="/loop.jpg"),
    ),
    unreachable(
        "a redirect to a file",
        "forbidden_address",
        "file:// is not fetched",
        _status("/file.jpg", 302, location="file:///etc/passwd"),
    ),
    unreachable(
        "the metadata service",
        "forbidden_address",
        "not in the open Internet",
        lambda _: "http://169.254.169.254/latest/meta-data/",
    ),
    unreachable(
        "a private address",
        "forbidden_address",
        "not in the open Internet",
        lambda _: "https://10.0.0.1/photo.jpg",
    ),
    unreachable(
        "an unknown host",
        "not_found",
        "There is no host",
        lambda _: "https://nobody.invalid/photo.jpg",
    ),
    unreachable(
        "ftp://",
        "forbidden_address",
        "has the scheme 'ftp'",
        lambda _: "ftp://example.org/photo.jpg",
    ),
    unreachable(
        "a bucket of others",
        "forbidden_address",
        "PACKSHOT_SOURCE_BUCKETS",
        lambda _: "s3://somebody-else/photo.jpg",
    ),
    unreachable("no bucket", "invalid_message", "s3://bucket/key", lambda _: "s3://photo.jpg"),
    unreachable(
        "a data: URI that is no base64",
        "invalid_message",
        "not valid base64",
        lambda _: "data:image/png;base64,####",
    ),
    unreachable(
        "a data: URI without a comma",
        "invalid_message",
        "no comma",
        lambda _: "data:image/png;base64",
    ),
    unreachable(
        "an empty data: URI", "corrupt_image", "empty (0 bytes)", lambda _: "data:image/png;base64,"
    ),
    # The picture behind the product.
    template("a template that is missing", "not_found", "HTTP 404", _status("/behind.jpg", 404)),
    template(
        "a template that is text",
        "unsupported_format",
        "plain text",
        lambda at: at.picture("/behind.txt", _TEXT),
    ),
    template(
        "a template in the network",
        "forbidden_address",
        "not in the open Internet",
        lambda _: "https://10.0.0.1/behind.jpg",
    ),
)
