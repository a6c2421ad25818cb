"""What a pile of bytes is, told from its first bytes alone; a name or a header can lie."""

import re
from typing import Final

from packshot.errors import CorruptImage, UnsupportedFormat

#: Every format that `sniff` can answer.
FORMATS: Final = ("jpeg", "png", "webp", "gif", "bmp", "tiff", "heic", "avif")

#: Bytes of the head that are looked at; markup may begin after a comment or a licence.
_HEAD: Final = 1024

_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),  # BigTIFF
    (b"MM\0+", "tiff"),
)

#: Sizes of the known DIB headers: "BM" alone is also the beginning of ordinary text.
_BMP_HEADERS: Final = frozenset({12, 16, 40, 52, 56, 64, 108, 124})

_HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
)
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIF_BRANDS: Final = frozenset({b"mif1", b"msf1", b"mif2", b"miaf"})

_EXPORT: Final = "export it as JPEG or PNG"

#: What people send by mistake, and what to do instead.
_OTHERS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"%PDF", "a PDF document", "send the page as JPEG or PNG"),
    (b"%!PS", "a PostScript file", _EXPORT),
    (b"8BPS", "a Photoshop file", _EXPORT),
    (b"\0\0\x01\0", "an icon file", _EXPORT),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", _EXPORT),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture", _EXPORT),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", _EXPORT),
    (b"\xff\x0a", "a JPEG XL picture", _EXPORT),
    (b"PK\x03\x04", "a ZIP archive or office document", "send the pictures in it one by one"),
    (b"Rar!", "a RAR archive", "send the pictures in it one by one"),
    (b"7z\xbc\xaf", "a 7z archive", "send the pictures in it one by one"),
    (b"\x1f\x8b", "gzip-compressed data", "send the picture uncompressed"),
    (b"\x1aE\xdf\xa3", "a video", "send a single picture"),
    (b"RIFF", "a sound or video file", "send a single picture"),
    (b"iVBORw0KGgo", "base64 text", "send the decoded bytes"),
    (b"/9j/", "base64 text", "send the decoded bytes"),
    (b"data:", "a data: URI", "send it as the image's uri, or send the decoded bytes"),
)


def sniff(data: bytes) -> str:
    """Name the format: one of `FORMATS`.

    Raises:
        CorruptImage: there are no bytes, or only zero bytes.
        UnsupportedFormat: the bytes are something else; the sentence says what they look like.
    """
    if not data:
        raise CorruptImage("The file is empty (0 bytes): the upload failed, send it again.")
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    if data[4:8] == b"ftyp":
        return _sniff_container(data)
    if data.count(0) == len(data):
        raise CorruptImage(
            f"The file holds nothing but {len(data):,} zero bytes: the copy failed, send it again."
        )
    what, remedy = _look(data)
    raise UnsupportedFormat(f"This looks like {what}, not like a picture: {remedy}.")


def _sniff_container(data: bytes) -> str:
    """HEIC, AVIF and films share one container; the brands tell (ISO/IEC 23008-12, AV1-AVIF)."""
    end = min(int.from_bytes(data[:4], "big"), 256)
    major = data[8:12]
    brands = {major, *(data[at : at + 4] for at in range(16, end - 3, 4))}
    if major in _AVIF_BRANDS or (major in _HEIF_BRANDS and brands & _AVIF_BRANDS):
        return "avif"
    if major in _HEIC_BRANDS or major in _HEIF_BRANDS:
        return "heic"
    if major == b"crx ":
        raise UnsupportedFormat(f"This looks like a camera's raw file: {_EXPORT}.")
    raise UnsupportedFormat("This looks like a video, not like a picture: send a single picture.")


def _look(data: bytes) -> tuple[str, str]:
    for magic, what, remedy in _OTHERS:
        if data.startswith(magic):
            return what, remedy
    head = data[:_HEAD].lower().lstrip(b"\xef\xbb\xbf \t\r\n\0")
    if b"<svg" in head:
        return "an SVG drawing", _EXPORT
    if b"<html" in head or head.startswith(b"<!doctype html"):
        return "an HTML page", "the address leads to a page, send the address of the picture"
    if head.startswith(b"<"):
        return "an XML document", "it is often an error answer of the server, look into it"
    if head.startswith((b"{", b"[")) and _is_text(head):
        return "JSON text", "it is often an error answer of the server, look into it"
    if _is_text(head):
        return "plain text", "send the bytes of a picture"
    return "data of an unknown kind", "send " + ", ".join(name.upper() for name in FORMATS)


def _is_text(head: bytes) -> bool:
    return not re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]", head)
