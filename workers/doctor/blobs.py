"""The object store: to be written, read and deleted, and exactly one winner of a race."""

import os
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import url2pathname

from packshot.errors import NotFound
from packshot.settings import Settings
from packshot.store.blobs import BlobStore
from workers.doctor.finding import Finding, Subject, error, ok, warning
from workers.services import open_store

#: Writers that race for one name.
RACERS = 3
#: Seconds by which the store's clock may differ: its own is told in whole seconds, and requests
#: are refused after 15 minutes.
SKEW_SECONDS = 60.0
#: Seconds for an answer about the time.
CLOCK_SECONDS = 3.0


def check_blobs(subject: Subject) -> Iterator[Finding]:
    """Do with a few small objects what the stages do with large ones."""
    settings = subject.settings
    # First, since a wrong clock is why a store refuses everything else.
    if settings.blobs_url.startswith("s3://"):
        yield from _clock(settings)
    where = settings.blobs_url.partition("?")[0]
    if where.startswith("file:") and not _folder(where).exists():
        yield _later(where)
        return
    store = open_store(settings)
    started = time.monotonic()
    store.check()
    took = (time.monotonic() - started) * 1000
    yield ok(f"{where} can be written, read and deleted ({took:.0f} ms).")
    yield from _race(store)


def _later(where: str) -> Finding:
    """A folder that is not there yet: workers make it, an examination does not."""
    folder = next(one for one in _folder(where).parents if one.exists())
    if os.access(folder, os.W_OK):
        return ok(f"{where} will be made when the first object is written.")
    return error(f"{where} cannot be made.", f"Grant the right to write in {folder}.")


def _folder(where: str) -> Path:
    return Path(url2pathname(urlsplit(where).path))


def _race(store: BlobStore) -> Iterator[Finding]:
    key = f"check-{secrets.token_hex(16)}"
    bodies = [b"writer %d" % number for number in range(RACERS)]
    try:
        with ThreadPoolExecutor(RACERS) as pool:
            won = list(pool.map(lambda body: store.put_new(key, body, "text/plain"), bodies))
        late = store.put_new(key, b"too late", "text/plain")
        kept = store.get(key)
    finally:
        store.delete(key)
    if late or sum(won) > 1 or (any(won) and kept != bodies[won.index(True)]):
        yield error(
            f"The store overwrites what must not be overwritten: {sum(won) + late} of "
            f"{RACERS + 1} writers of one new name won.",
            "Use a store that honours conditional writes (If-None-Match: *).",
        )
        return
    yield ok(f"Of {RACERS} writers that race for one name, one wins.")
    try:
        store.get(key)
    except NotFound:
        return
    yield warning("A deleted object can still be read.", "Look for a cache before the store.")


def _clock(settings: Settings) -> Iterator[Finding]:
    """Compare clocks by the `Date` of any answer, be it a refusal."""
    inside = parse_qs(urlsplit(settings.blobs or "").query).get("endpoint", [None])[0]
    aws = f"https://s3.{settings.s3_region}.amazonaws.com"
    address = urlsplit(inside or settings.s3_endpoint or aws)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    try:
        connection = kind(address.hostname or "", address.port, timeout=CLOCK_SECONDS)
        try:
            connection.request("HEAD", "/")
            told = connection.getresponse().getheader("Date")
        finally:
            connection.close()
        theirs = parsedate_to_datetime(told) if told else None
    except (OSError, HTTPException, ValueError):
        return  # the store itself says next what is wrong
    if theirs is None:
        return
    skew = (theirs - datetime.now(UTC)).total_seconds()
    if abs(skew) > SKEW_SECONDS:
        yield warning(
            f"The object store's clock and this machine's differ by {abs(skew):.0f} s; requests "
            "are refused from 900 s on.",
            "Let both follow the same time servers.",
        )
