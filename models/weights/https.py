"""Download over HTTPS that goes on where it was cut off."""

import errno
import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from models.weights.files import BLOCK
from packshot.errors import SourceUnavailable

#: Seconds without a byte after which a connection is given up.
TIMEOUT = 30.0
#: Attempts in a row that bring nothing new before the download is given up.
ATTEMPTS = 3
#: Seconds between attempts, times the number of failures so far.
PAUSE = 1.0

_PARTIAL, _RANGE_NOT_SATISFIABLE = 206, 416
#: Answers that may be different in a moment.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Errors that are this machine's disk and not the network.
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


class StaySecure(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from an encrypted to an open connection."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Refuse the step down; see the class."""
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise SourceUnavailable(f"{req.full_url} redirects to an unencrypted address.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(
    url: str,
    folder: Path,
    *,
    started: Callable[[int, int | None], None],
    advance: Callable[[int], None],
    pause: Callable[[float], None] = time.sleep,
) -> Path:
    """Download `url` into `folder` and return the file, which has all the bytes the server named.

    The bytes grow in a `.part` file that a later call continues; the server's ETag or date is kept
    beside it, so that two versions of a file are never glued together. Proxies come from the
    environment as for every program.

    Args:
        url: what to fetch.
        folder: an existing folder for the `.part` file and the result.
        started: called with (bytes there already, total bytes or None) when bytes begin to flow.
        advance: called with each number of new bytes.
        pause: waits between attempts.

    Raises:
        SourceUnavailable: when the server does not deliver.
    """
    part = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.part"
    failures = 0
    while True:
        before = _size(part)
        try:
            _continue(url, part, started, advance)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == _RANGE_NOT_SATISFIABLE and before:
                if error.headers.get("Content-Range") == f"bytes */{before}":
                    return part
                forget(part)
            elif error.code not in _PASSING:
                raise SourceUnavailable(f"{url} answers {error.code} {error.reason}.") from error
            reason: Exception = error
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in _DISK:
                raise
            reason = error
        else:
            return part
        failures = 1 if _size(part) > before else failures + 1
        if failures >= ATTEMPTS:
            raise SourceUnavailable(f"{url} cannot be reached ({_explain(reason)}).") from reason
        pause(PAUSE * failures)


def forget(part: Path) -> None:
    """Remove a download and what is known about it."""
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)


def _continue(
    url: str,
    part: Path,
    started: Callable[[int, int | None], None],
    advance: Callable[[int], None],
) -> None:
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})  # noqa: S310  # the manifest allows https only
    have, tag = _size(part), _read_tag(part)
    if have and tag:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", tag)
    opener = urllib.request.build_opener(StaySecure())
    with opener.open(request, timeout=TIMEOUT) as response:
        if response.status == _PARTIAL:
            if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                raise http.client.HTTPException("it sent another range than asked for")
        else:
            have = 0
            # In this order: a kill in between must not leave old bytes under a new tag.
            forget(part)
            _write_tag(part, response.headers)
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        started(have, total)
        with part.open("ab" if have else "wb") as file:
            while block := response.read(BLOCK):
                file.write(block)
                advance(len(block))
    if total is not None and _size(part) < total:
        raise http.client.IncompleteRead(b"", total - _size(part))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _tag(part: Path) -> Path:
    return part.with_suffix(".etag")


def _read_tag(part: Path) -> str | None:
    return _tag(part).read_text("ascii") if _tag(part).exists() else None


def _write_tag(part: Path, headers: http.client.HTTPMessage) -> None:
    tag: str = headers.get("ETag", "")
    # A weak tag does not promise equal bytes, so nothing may be continued from it.
    if not tag or tag.startswith("W/"):
        tag = headers.get("Last-Modified", "")
    if tag and tag.isascii():
        _tag(part).write_text(tag, "ascii")
    else:
        _tag(part).unlink(missing_ok=True)


def _explain(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"it answers {error.code}"
    if isinstance(error, urllib.error.URLError):
        return str(error.reason)
    return str(error) or type(error).__name__
