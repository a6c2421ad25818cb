"""A picture as a point: what makes two photos of the same product look alike to a program."""

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

from packshot.errors import InvalidMessage, ModelFailure

#: Numbers in an embedding of EfficientNet-Lite0: the width of its last pooled layer.
EMBEDDING_SIZE = 1280


def encode_embedding(vector: NDArray[np.float32]) -> str:
    """Scale to length 1 and write as base64 of little-endian float16.

    Half precision keeps cosine similarities to about 1e-3 and halves what every row stores.

    Args:
        vector: float32, shape (1280,), any scale.

    Raises:
        ModelFailure: the vector has another shape, or holds NaN or infinity.
    """
    if vector.shape != (EMBEDDING_SIZE,):
        raise ModelFailure(
            f"The classifier answered an embedding of shape {vector.shape}; "
            f"install weights that answer ({EMBEDDING_SIZE},)."
        )
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if not np.isfinite(length):
        raise ModelFailure(
            "The classifier answered numbers that are not finite: check the weights with "
            "`packshot models verify`."
        )
    # A dead network answers zeros: they stay zeros and are similar to nothing.
    unit = vector / length if length > 0 else vector
    return base64.b64encode(unit.astype("<f2").tobytes()).decode("ascii")


def decode_embedding(text: str) -> NDArray[np.float32]:
    """Read what `encode_embedding` wrote.

    Returns:
        float32, shape (1280,), length 1 to within half precision.

    Raises:
        InvalidMessage: the text is not base64 of 1280 float16 numbers.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidMessage(
            "The embedding is not base64: run the recognition step again."
        ) from error
    if len(raw) != EMBEDDING_SIZE * 2:
        raise InvalidMessage(
            f"The embedding has {len(raw)} bytes instead of {EMBEDDING_SIZE * 2}: "
            "run the recognition step again."
        )
    return np.frombuffer(raw, dtype="<f2").astype(np.float32)


def similarity(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Cosine of the angle between two embeddings, in [-1, 1]; 0 where either is all zeros."""
    scale = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    if scale == 0:
        return 0.0
    return float(np.clip(np.dot(a, b) / scale, -1.0, 1.0))
