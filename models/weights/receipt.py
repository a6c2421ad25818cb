"""What lies beside prepared weights: where they came from and what they must be."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.manifest import Sha256
from models.weights.files import write_atomic
from packshot.errors import ModelFailure

#: Names of the files in the folder of one prepared model.
MODEL, RECEIPT = "model.onnx", "receipt.json"


class Receipt(BaseModel):
    """Written once, when the weights are prepared.

    `sha256` and `size` (bytes) are of the prepared file, `source_sha256` and `source_size` of
    what was fetched. `metadata` holds what was taken out of the file, for instance `charset`: the
    characters of a text recogniser, one a line. `trust` says who vouched for the source.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    licence: str
    source: str
    source_sha256: Sha256
    source_size: int
    trust: Literal["manifest", "first-use"]
    sha256: Sha256
    size: int
    metadata: dict[str, str] = Field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write it into the folder of the model."""
        write_atomic(folder / RECEIPT, self.model_dump_json(indent=1))

    @classmethod
    def read(cls, folder: Path) -> "Receipt":
        """Read it back.

        Raises:
            ModelFailure: when it is missing or damaged.
        """
        try:
            return cls.model_validate_json((folder / RECEIPT).read_text("utf-8"))
        except (OSError, ValidationError) as error:
            raise ModelFailure(
                f"The receipt of the weights in {folder} is damaged; run: packshot models pull"
            ) from error
