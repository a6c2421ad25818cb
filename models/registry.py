"""Which weights there are, where they lie, and how to open one."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from models.manifest import Entry, Manifest, load_manifest
from models.session import Session
from models.weights.files import sha256_of
from models.weights.receipt import MODEL, Receipt
from packshot.errors import ConfigurationError, ModelFailure, ModelMissing
from packshot.results import ModelInfo


def default_cache() -> Path:
    """The folder for weights by the platform's convention (`$XDG_CACHE_HOME` or `~/.cache`)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The convention says that a relative path is invalid and must be ignored.
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return root / "packshot" / "models"


class Registry:
    """The models of one manifest in one cache folder. Thread-safe; it never writes.

    Args:
        cache: the folder that `packshot models pull` fills; the platform's own where None.
        manifest: the models that are known; those that ship with Packshot where None.
    """

    def __init__(self, cache: Path | None = None, *, manifest: Manifest | None = None) -> None:
        self.cache = cache if cache is not None else default_cache()
        self.manifest = manifest if manifest is not None else load_manifest()
        self._lock = threading.Lock()
        self._checked: dict[str, tuple[int, int]] = {}

    def names(self) -> tuple[str, ...]:
        """All models that are known, here or not."""
        return tuple(self.manifest.by_name)

    def entry(self, name: str) -> Entry:
        """What the manifest says about one model.

        Raises:
            ConfigurationError: there is no such model.
        """
        try:
            return self.manifest.by_name[name]
        except KeyError:
            raise ConfigurationError(
                f"There is no model called {name!r}; known are: {', '.join(self.names())}."
            ) from None

    def folder(self, name: str) -> Path:
        """Where the prepared weights of one model lie, or would.

        The folder's name changes with the recipe, so that workers of two releases can share a
        cache while one replaces the other.
        """
        return self.cache / name / self.entry(name).fingerprint

    def path(self, name: str) -> Path:
        """The prepared ONNX file of one model.

        Raises:
            ModelMissing: it is not on this machine.
        """
        path = self.folder(name) / MODEL
        if not path.is_file():
            raise ModelMissing(
                f"The weights of {name} are not in {self.cache}; run: packshot models pull {name}"
            )
        return path

    def receipt(self, name: str) -> Receipt:
        """Where the weights of one model came from and what they must be."""
        return Receipt.read(self.path(name).parent)

    def metadata(self, name: str) -> Mapping[str, str]:
        """What was taken out of the model's file when it was prepared.

        For a text recogniser `charset`: its characters, one a line; see `charset`.
        """
        return MappingProxyType(self.receipt(name).metadata)

    def charset(self, name: str) -> tuple[str, ...]:
        """The characters of a text recogniser in class order, without blank and space.

        Raises:
            ConfigurationError: the model is no text recogniser.
        """
        try:
            return tuple(self.metadata(name)["charset"].split("\n"))
        except KeyError:
            raise ConfigurationError(f"{name} is no text recogniser: it has no charset.") from None

    def info(self, name: str) -> ModelInfo:
        """Provenance of one model; the SHA-256 is that of the prepared file, which is what runs."""
        receipt = self.receipt(name)
        return ModelInfo(
            name=name, version=receipt.version, sha256=receipt.sha256, licence=receipt.licence
        )

    def session(
        self, name: str, *, threads: int = 1, device: str = "auto", callers: int = 1
    ) -> Session:
        """Load one model into a session of its own.

        The file is read and compared with its receipt when this registry first opens it, later
        only when its size or time has changed.

        Args:
            name: the model.
            threads: CPU threads of one run; 1 is best where several processes share the cores.
            device: one of `models.runtimes.DEVICES`; `auto` takes the fastest that works.
            callers: runs at once, for runtimes that want to know.

        Raises:
            ModelMissing: the weights are not on this machine.
            ModelFailure: the weights are damaged or cannot be loaded.
            ConfigurationError: there is no ONNX Runtime, or not the device that was asked for.
        """
        # Imported here, so that listing models needs no runtime.
        from models.runtimes import open_session

        path, receipt = self.path(name), self.receipt(name)
        self._check(path, receipt)
        return open_session(
            path,
            self.info(name),
            threads=threads,
            device=device,
            callers=callers,
            half=self.entry(name).half,
        )

    def _check(self, path: Path, receipt: Receipt) -> None:
        stat = path.stat()
        seen = (stat.st_size, stat.st_mtime_ns)
        with self._lock:
            if self._checked.get(receipt.name) == seen:
                return
        if stat.st_size != receipt.size or sha256_of(path) != receipt.sha256:
            raise ModelFailure(
                f"The weights of {receipt.name} have changed on disk since they were prepared; "
                f"run: packshot models pull {receipt.name}"
            )
        with self._lock:
            self._checked[receipt.name] = seen
