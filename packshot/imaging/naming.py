"""Where things are stored: object keys that are valid in S3 and as paths on every file system."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Final

#: The name of the cut-out's file; "cutout" is what the contract calls the output.
_MATTE: Final = "matte"
#: Most bytes of UTF-8 that a name given by others may take. A file name may have 255; a fixed limit
#: for this part (not "what is left") keeps two outputs of one photo from meeting at the same key.
MAX_NAME_BYTES: Final = 160
#: Names that Windows gives to devices, with any extension (Microsoft, "Naming Files").
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
_PICTURE: Final = re.compile(
    r"\.(jpe?g|jpe|jfif|png|apng|webp|gif|bmp|dib|tiff?|hei[cf]s?|avifs?)$", re.IGNORECASE
)
_CONTRACT_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_EXTENSIONS: Final = {"jpeg": "jpg", "tiff": "tif"}


def original_key(sha256: str, format: str) -> str:  # noqa: A002 - the contract's word
    """Key of the photo as it came in, named by its content: the same bytes are stored once."""
    _check(sha256)
    extension = _EXTENSIONS.get(format, format)
    return f"originals/{sha256[:2]}/{sha256}.{safe_name(extension, fallback='bin')}"


def work_key(sha256: str, name: str) -> str:
    """Key of something made from that photo on the way, such as the working image."""
    _check(sha256)
    return f"work/{sha256}/{safe_name(name, fallback='unnamed')}"


def output_key(
    at: datetime,
    sku: str,
    filename: str,
    output_name: str,
    extension: str,
    disambiguator: str = "",
) -> str:
    """Key of a finished picture: outputs/YYYYMMDD/HHMMSS_<SKU>/<original name>_<output name>.<ext>.

    Args:
        at: when the job came in, written in UTC; a naive time is taken as UTC.
        sku: the producer's article number, may be empty.
        filename: the photo's own name, with or without folders and extension.
        output_name: name of the output in the contract ([a-z0-9_-]); "cutout" becomes "matte".
        extension: of the written format, such as "png".
        disambiguator: short job id, so that two jobs of one second, SKU and file name do not
            overwrite each other.

    Any text is made safe, Chinese and other letters are kept. For equal other arguments, different
    output names give different keys.
    """
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    # The year is not left to strftime, which does not pad it on every system.
    day, time = f"{at.year:04d}{at:%m%d}", f"{at:%H%M%S}"
    last = re.split(r"[/\\]", filename)[-1]
    stem = safe_name(_PICTURE.sub("", last), fallback="photo")
    folder = f"{time}_{safe_name(sku, fallback='no-sku')}"
    if disambiguator:
        folder += f"_{safe_name(disambiguator, fallback='job', limit=64)}"
    suffix = safe_name(extension.lstrip("."), fallback="bin", limit=16)
    return f"outputs/{day}/{folder}/{stem}_{_output(output_name)}.{suffix}"


def safe_name(text: str, *, fallback: str, limit: int = MAX_NAME_BYTES) -> str:
    """Make one path component out of any text: NFC letters, digits and `-_.()` of any script.

    Everything else becomes "-", runs of it one; the ends carry no dot and no dash; names that
    Windows reserves get a "_" in front; at most `limit` bytes of UTF-8, cut between characters.
    """
    kept = "".join(_keep(char) for char in unicodedata.normalize("NFC", text))
    name = _tidy(unicodedata.normalize("NFC", kept))
    if _RESERVED.match(name):
        name = f"_{name}"
    name = _tidy(name.encode()[:limit].decode(errors="ignore"))
    return name or fallback


def _keep(char: str) -> str:
    return char if char in "-_.()" or unicodedata.category(char)[0] in "LMN" else "-"


def _tidy(name: str) -> str:
    return re.sub(r"\.{2,}", ".", re.sub(r"-{2,}", "-", name)).strip("-.")


def _output(name: str) -> str:
    if name == "cutout":
        return _MATTE
    if name == _MATTE:
        return f"{_MATTE}.1"  # an output of that name steps aside; no contract name has a dot
    # Contract names are safe, and tidying them would make one of "a" and "a-".
    return name if _CONTRACT_NAME.fullmatch(name) else safe_name(name, fallback="output", limit=32)


def _check(sha256: str) -> None:
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"not a SHA-256 in lower-case hex: {sha256!r}")
