"""The weights that Packshot knows: where they come from, what they are, under which licence."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from packshot.errors import ConfigurationError

#: Raised by one when the code that prepares weights changes what it writes, so that files which
#: an older release prepared are prepared again, next to the old ones, and both releases work.
PREPARE_REVISION = 1

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
#: Names become folder names and command-line arguments.
ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.\-]{0,63}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Task(StrEnum):
    """What a model is for."""

    TEXT_DETECTION = "text-detection"
    TEXT_RECOGNITION = "text-recognition"
    TEXT_ORIENTATION = "text-orientation"
    CLASSIFICATION = "classification"
    MATTING = "matting"


class Prepare(StrEnum):
    """One change that is made to a graph after it was fetched; see `models.weights.prepare`."""

    ZERO_DENORMALS = "zero-denormals"
    CHARSET_TO_METADATA = "charset-to-metadata"
    FREE_BATCH = "free-batch"
    FIRST_OUTPUT = "first-output"
    UPSAMPLE_LAST = "upsample-last"
    GATE_ONCE = "gate-once"
    SUM_JOINED = "sum-joined"
    MULTIPLY_SIDES = "multiply-sides"


class PackageSource(_Frozen):
    """A file of a Python package that happens to be installed."""

    kind: Literal["package"]
    package: str
    member: str

    def __str__(self) -> str:
        """Where from, in words."""
        return f"the installed package {self.package}"


class WheelSource(_Frozen):
    """A member of a wheel that pip downloads from the index the user has configured."""

    kind: Literal["wheel"]
    requirement: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._\-]+==[A-Za-z0-9.]+$")]
    member: str

    def __str__(self) -> str:
        """Where from, in words."""
        return f"the wheel {self.requirement}"


class HttpsSource(_Frozen):
    """A file behind an address."""

    kind: Literal["https"]
    url: Annotated[
        str, StringConstraints(pattern=r"^https://|^http://(127\.0\.0\.1|localhost)[:/]")
    ]

    def __str__(self) -> str:
        """Where from, in words."""
        return self.url


class S3Source(_Frozen):
    """An object in an S3-compatible store; credentials come from where boto3 looks for them."""

    kind: Literal["s3"]
    bucket: str
    key: str
    endpoint: str | None = None

    def __str__(self) -> str:
        """Where from, in words."""
        return f"s3://{self.bucket}/{self.key}"


class PathSource(_Frozen):
    """A file on this machine or on a mounted volume."""

    kind: Literal["path"]
    path: Path

    def __str__(self) -> str:
        """Where from, in words."""
        return str(self.path)


Source = Annotated[
    PackageSource | WheelSource | HttpsSource | S3Source | PathSource, Field(discriminator="kind")
]


class InputSpec(_Frozen):
    """What a model wants to be fed: `(pixel / scale - mean) / std`, channels first, float32.

    `shape` is N, C, H, W with -1 where a dimension is free; `multiple` is what H and W must be
    divisible by; `crop` the share of the shorter side that the central crop keeps.
    """

    shape: tuple[int, int, int, int]
    order: Literal["RGB", "BGR"]
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    multiple: int = 1
    crop: float = 1.0
    interpolation: Literal["bilinear", "bicubic", "area"] = "bilinear"


class OutputSpec(_Frozen):
    """Which output counts, and what turns its values into probabilities.

    `min-max` stretches the values of one picture to [0, 1].
    """

    index: int = 0
    activation: Literal["none", "sigmoid", "min-max"] = "none"


class Entry(_Frozen):
    """One model. `sha256` and `size` (bytes) are those of the file at the source.

    `half` says that it may run in bfloat16: the loss was measured, and is none that a user sees.
    """

    name: ModelName
    task: Task
    version: str
    licence: str
    licence_url: str
    commercial: bool
    default: bool = False
    homepage: str
    sha256: Sha256 | None = None
    size: int | None = None
    convert: Literal["efficientnet-lite0", "efficientnet-lite2"] | None = None
    prepare: tuple[Prepare, ...] = ()
    input: InputSpec
    output: OutputSpec = OutputSpec()
    half: bool = False
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    note: str = ""

    @property
    def pinned(self) -> bool:
        """Whether the manifest itself says what the bytes must be."""
        return self.sha256 is not None

    @property
    def fingerprint(self) -> str:
        """12 hex digits that name the prepared file: they change when the recipe or source does."""
        recipe = [self.version, self.sha256, self.convert, self.prepare, PREPARE_REVISION]
        return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:12]

    @model_validator(mode="after")
    def _default_is_safe(self) -> Self:
        if self.default and not (self.pinned and self.commercial):
            raise ValueError("a default model must be pinned and free for commercial use")
        return self


class Manifest(_Frozen):
    """All models that are known, by name, in the order of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)

    entries: Annotated[tuple[Entry, ...], Field(alias="model")]

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [entry.name for entry in self.entries]
        if len(set(names)) != len(names):
            raise ValueError("two models have the same name")
        return self

    @property
    def by_name(self) -> Mapping[str, Entry]:
        """The entries by name."""
        return MappingProxyType({entry.name: entry for entry in self.entries})


def load_manifest(path: Path | None = None) -> Manifest:
    """Read the manifest that ships with Packshot, or another file of the same form.

    Raises:
        ConfigurationError: when the file is not there or not a valid manifest.
    """
    try:
        if path is None:
            text = resources.files("models").joinpath("data/manifest.toml").read_text("utf-8")
        else:
            text = path.read_text("utf-8")
        return Manifest.model_validate(tomllib.loads(text))
    except OSError as error:
        raise ConfigurationError(f"The manifest of models cannot be read: {error}.") from error
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigurationError(f"The manifest of models is not valid: {error}") from error
