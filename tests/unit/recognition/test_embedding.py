import base64

import numpy as np
import pytest

from models.recognition.embedding import (
    EMBEDDING_SIZE,
    decode_embedding,
    encode_embedding,
    similarity,
)
from packshot.errors import InvalidMessage, ModelFailure


def random_vector(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.random.default_rng(seed).random(EMBEDDING_SIZE, dtype=np.float32)


def test_round_trip_keeps_the_direction_and_has_length_one() -> None:
    vector = random_vector(1) * 7
    decoded = decode_embedding(encode_embedding(vector))
    assert decoded.dtype == np.float32
    assert decoded.shape == (EMBEDDING_SIZE,)
    assert np.linalg.norm(decoded) == pytest.approx(1, abs=1e-3)
    assert similarity(decoded, vector) == pytest.approx(1, abs=1e-5)


def test_the_bytes_are_little_endian_halves() -> None:
    vector = np.zeros(EMBEDDING_SIZE, dtype=np.float32)
    vector[0] = 5
    raw = base64.b64decode(encode_embedding(vector))
    assert len(raw) == 2 * EMBEDDING_SIZE
    assert raw[:2] == b"\x00\x3c"
    assert not any(raw[2:])


def test_encoding_leaves_the_vector_alone() -> None:
    vector = random_vector(2)
    before = vector.copy()
    encode_embedding(vector)
    assert np.array_equal(vector, before)


def test_similarity_orders_near_and_far() -> None:
    a, b = random_vector(3) - 0.5, random_vector(4) - 0.5
    assert similarity(a, a) == pytest.approx(1)
    assert similarity(a, -a) == pytest.approx(-1)
    assert similarity(a, a + b * 0.2) > similarity(a, b)


def test_zeros_are_similar_to_nothing() -> None:
    zeros = np.zeros(EMBEDDING_SIZE, dtype=np.float32)
    assert not decode_embedding(encode_embedding(zeros)).any()
    assert similarity(zeros, random_vector(5)) == 0


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(np.ones(10, dtype=np.float32), id="too short"),
        pytest.param(np.ones((1, EMBEDDING_SIZE), dtype=np.float32), id="a batch"),
        pytest.param(np.full(EMBEDDING_SIZE, np.nan, dtype=np.float32), id="not a number"),
        pytest.param(np.full(EMBEDDING_SIZE, np.inf, dtype=np.float32), id="infinite"),
    ],
)
def test_a_wrong_vector_is_a_model_failure(
    vector: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    with pytest.raises(ModelFailure):
        encode_embedding(vector)


@pytest.mark.parametrize("text", ["", "AAAA", "§§§", "A" * 7], ids=["none", "short", "no", "cut"])
def test_a_wrong_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidMessage, match="recognition"):
        decode_embedding(text)
