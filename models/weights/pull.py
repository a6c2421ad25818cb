"""Bring weights to this machine: fetch, check, prepare, and put into place in one move."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from models.manifest import Entry
from models.registry import Registry
from models.weights.files import disk, exclusive, scratch, sha256_of, sweep, write_atomic
from models.weights.https import forget
from models.weights.progress import Progress, Silent
from models.weights.receipt import MODEL, Receipt
from models.weights.sources import Fetched, Fetcher
from models.weights.verify import State, check
from models.weights.wheels import Wheels
from packshot.errors import ConfigurationError, ModelForbidden

#: The file that remembers what unpinned weights were when they were first seen.
TRUSTED = "trusted.json"


class Outcome(StrEnum):
    """What a pull did for one model."""

    PULLED = "pulled"
    THERE = "already there"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a pull may do.

    Attributes:
        allow_noncommercial: also weights whose licence forbids commercial use.
        trust_on_first_use: also weights whose SHA-256 the manifest does not know; what comes
            first is recorded and from then on demanded.
        offline: only from installed packages and local files.
    """

    allow_noncommercial: bool = False
    trust_on_first_use: bool = False
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Pulled:
    """The outcome for one model."""

    name: str
    outcome: Outcome
    receipt: Receipt


def pull(
    registry: Registry,
    names: Iterable[str],
    options: Options | None = None,
    progress: Progress | None = None,
) -> list[Pulled]:
    """Make sure that the weights called `names` are on this machine, checked and prepared.

    Safe to run at the same time as other pulls and as workers that read the same cache, and safe
    to interrupt: a model appears whole or not at all.

    Raises:
        ModelForbidden: a licence forbids commercial use and nobody allowed that; nothing is pulled.
        ConfigurationError: an unknown name, or unpinned weights that nobody trusts; likewise.
        SourceUnavailable: no source delivered.
        ModelFailure: the bytes are not those that were promised, or cannot be prepared.
        StorageUnavailable: the cache cannot be written.
    """
    options, progress = options or Options(), progress or Silent()
    entries = [registry.entry(name) for name in dict.fromkeys(names)]
    for entry in entries:
        _permit(entry, options)
    first = entries[0].name if entries else ""
    with disk(registry.cache):
        registry.cache.mkdir(parents=True, exist_ok=True)
        waiting = partial(progress.stage, first, "waiting for another pull")
        with exclusive(registry.cache, waiting) as alone:
            if alone:
                sweep(registry.cache)
            with scratch(registry.cache) as work:
                downloads = registry.cache / ".downloads"
                downloads.mkdir(exist_ok=True)
                fetcher = Fetcher(downloads, work, progress, Wheels(work), options.offline)
                return [_one(registry, entry, fetcher) for entry in entries]


def _permit(entry: Entry, options: Options) -> None:
    if not entry.commercial and not options.allow_noncommercial:
        raise ModelForbidden(
            f"The licence of {entry.name} ({entry.licence}) forbids commercial use; if yours is "
            f"not, add --allow-noncommercial. Terms: {entry.licence_url}"
        )
    if not entry.pinned and not options.trust_on_first_use:
        raise ConfigurationError(
            f"The manifest does not know the SHA-256 of {entry.name}, so its download cannot be "
            "checked; add --trust-on-first-use to accept what comes and to demand it from then on."
        )


def _one(registry: Registry, entry: Entry, fetcher: Fetcher) -> Pulled:
    fetcher.progress.stage(entry.name, "checking")
    state = check(registry, entry.name)
    if state is State.OK:
        fetcher.progress.done(entry.name, Outcome.THERE)
        return Pulled(entry.name, Outcome.THERE, registry.receipt(entry.name))
    fetched = fetcher.fetch(entry, entry.sha256 or _trusted(registry.cache).get(entry.name))
    if not entry.pinned:
        _trust(registry.cache, entry, fetched.sha256)
    receipt = _install(registry, entry, fetched, fetcher)
    outcome = Outcome.PULLED if state is State.MISSING else Outcome.REPAIRED
    fetcher.progress.done(entry.name, outcome)
    return Pulled(entry.name, outcome, receipt)


def _install(registry: Registry, entry: Entry, fetched: Fetched, fetcher: Fetcher) -> Receipt:
    fetcher.progress.stage(entry.name, "preparing")
    staging = fetcher.scratch / f"{entry.name}.new"
    staging.mkdir()
    target = staging / MODEL
    source_size = fetched.path.stat().st_size
    metadata = _write(entry, fetched.path, target)
    Receipt(
        name=entry.name,
        version=entry.version,
        licence=entry.licence,
        source=str(fetched.source),
        source_sha256=fetched.sha256,
        source_size=source_size,
        trust="manifest" if entry.pinned else "first-use",
        sha256=sha256_of(target),
        size=target.stat().st_size,
        metadata=metadata,
    ).write(staging)
    _place(staging, registry.folder(entry.name), fetcher.scratch / f"{entry.name}.damaged")
    if fetched.path.is_relative_to(fetcher.downloads):
        forget(fetched.path)
    return registry.receipt(entry.name)


def _place(staging: Path, folder: Path, aside: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    if folder.exists():
        # Moved away whole and not overwritten: a process that has the file open keeps its bytes.
        folder.rename(aside)
    try:
        staging.rename(folder)
    except OSError:
        # Without locks another pull may have been faster; what it placed is as good.
        if not folder.exists():
            raise


def _write(entry: Entry, source: Path, target: Path) -> dict[str, str]:
    if not entry.prepare and entry.convert is None:
        # Models of a gigabyte pass through without being read into memory.
        shutil.copyfile(source, target)
        return {}
    from models.weights.prepare import prepare

    return prepare(entry, source, target)


def _trusted(cache: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((cache / TRUSTED).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return found


def _trust(cache: Path, entry: Entry, sha256: str) -> None:
    write_atomic(cache / TRUSTED, json.dumps(_trusted(cache) | {entry.name: sha256}, indent=1))
