from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from models.recognition import Categories, Lexicon, Recogniser, decode_embedding
from models.recognition.classifier import SIDE, preprocess
from models.session import Array, TensorSpec
from packshot.errors import ModelFailure
from packshot.results import ModelInfo, TextLine, TextResult


class FixedSession:
    """A classifier that answers the same to every picture, and remembers what it was fed."""

    info = ModelInfo(name="fixed", version="1", sha256="0" * 64, licence="none")
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    providers: tuple[str, ...] = ("CPUExecutionProvider",)

    def __init__(self, probs: Mapping[int, float], embedding: Array | None = None) -> None:
        rest = (1 - sum(probs.values())) / (1000 - len(probs))
        self.probs = np.full((1, 1000), rest, dtype=np.float32)
        for index, value in probs.items():
            self.probs[0, index] = value
        self.embedding = np.ones((1, 1280), np.float32) if embedding is None else embedding
        self.fed: list[Array] = []

    def run(self, feed: Mapping[str, Array], wanted: Sequence[str] | None = None) -> list[Array]:
        self.fed.append(feed["image"])
        answers = {"probs": self.probs, "embedding": self.embedding}
        return [answers[name] for name in wanted or answers]


def recogniser(session: FixedSession) -> Recogniser:
    return Recogniser(
        classifier=session, categories=Categories.default(), lexicon=Lexicon.default()
    )


def text(*lines: str, probability: float = 0.97) -> TextResult:
    corners = ((0.0, 0.0), (500.0, 0.0), (500.0, 40.0), (0.0, 40.0))
    return TextResult(
        lines=tuple(
            TextLine(polygon=corners, text=t, score=1, probability=probability, script="latin")
            for t in lines
        ),
        confidence=probability,
    )


def test_a_clear_product_has_every_field_and_no_signal() -> None:
    session = FixedSession({478: 0.93, 692: 0.02})
    result = recogniser(session).recognise(
        Recogniser.example(), text("Lumora", "Model: LX-300", "fresh", "tasty")
    )
    assert [category.id for category in result.categories][:2] == [478, 692]
    assert (result.categories[0].en, result.categories[0].zh) == ("carton", "纸盒")
    assert len(result.categories) == 5
    assert result.brand is not None
    assert result.brand.value == "Lumora"
    assert result.model is not None
    assert result.model.value == "LX-300"
    assert result.colours[0].en == "orange"
    assert result.signals == ()
    assert result.models == (session.info,)
    assert np.allclose(decode_embedding(result.embedding), 1280**-0.5, atol=1e-4)
    assert result.confidence == pytest.approx(0.92, abs=0.01)


def test_without_text_there_is_no_brand_and_no_model() -> None:
    result = recogniser(FixedSession({954: 0.9})).recognise(Recogniser.example(), None)
    assert (result.brand, result.model, result.signals) == (None, None, ())


@pytest.mark.parametrize(
    ("probs", "lines", "codes"),
    [
        pytest.param({285: 0.9}, (), ["not_a_product"], id="a cat"),
        pytest.param({631: 0.3, 838: 0.28}, (), ["category_unsure"], id="a tie"),
        pytest.param(
            {631: 0.9}, ("酸牛奶", "原味", "净含量200克"), ["category_unsure"], id="print on lotion"
        ),
        pytest.param({478: 0.9}, ("纯牛奶", "原味", "净含量200克"), [], id="print on a carton"),
        pytest.param({954: 0.9}, ("Cca-Cola",), ["brand_unsure"], id="misread brand"),
        pytest.param({954: 0.9}, ("A1234",), ["model_unsure"], id="bare number"),
        pytest.param(
            {285: 0.3}, ("Cca-Cola", "A1234"),
            ["not_a_product", "category_unsure", "brand_unsure", "model_unsure"], id="everything",
        ),
    ],
)  # fmt: skip
def test_signals(probs: dict[int, float], lines: tuple[str, ...], codes: list[str]) -> None:
    result = recogniser(FixedSession(probs)).recognise(Recogniser.example(), text(*lines))
    assert [signal.code for signal in result.signals] == codes
    for signal in result.signals:
        assert signal.value is not None
        assert signal.threshold is not None
        assert signal.value < signal.threshold
        assert signal.message.endswith(".")


def test_the_confidence_is_that_of_the_least_sure_field() -> None:
    result = recogniser(FixedSession({954: 0.95})).recognise(
        Recogniser.example(), text("Arla", probability=0.6)
    )
    assert result.brand is not None
    assert result.confidence == result.brand.confidence < 0.85


def test_even_a_certain_guess_is_capped() -> None:
    result = recogniser(FixedSession({954: 0.9999})).recognise(Recogniser.example(), None)
    assert result.confidence == 0.95


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (224, 224), (480, 640), (2400, 1800)], ids=str)
def test_any_shape_becomes_the_networks_input(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), (255, 127, 0), dtype=np.uint8)
    tensor = preprocess(picture)
    assert tensor.shape == (3, SIDE, SIDE)
    assert tensor.dtype == np.float32
    assert tensor.flags.c_contiguous
    assert np.allclose(tensor.mean(axis=(1, 2)), (1.0, 0.0, -127 / 128), atol=1e-6)


def test_the_crop_is_central() -> None:
    picture = np.zeros((400, 1000, 3), dtype=np.uint8)
    picture[25:375, 325:675] = 255
    assert preprocess(picture).min() > 0.9


def test_the_picture_is_not_modified_and_need_not_be_contiguous() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    before = picture.copy()
    session = FixedSession({1: 0.5})
    recogniser(session).recognise(picture[::-1, ::-1], None)
    assert np.array_equal(picture, before)
    assert session.fed[0].shape == (1, 3, SIDE, SIDE)


def probabilities(shape: tuple[int, ...], value: float) -> NDArray[np.float32]:
    return np.full(shape, value, dtype=np.float32)


@pytest.mark.parametrize(
    "probs",
    [
        pytest.param(probabilities((1, 1000), np.nan), id="not numbers"),
        pytest.param(probabilities((1, 1000), 1.0), id="sum is not 1"),
        pytest.param(probabilities((1, 21843), 1 / 21843), id="another head"),
    ],
)
def test_answers_that_are_no_probabilities_are_a_model_failure(probs: NDArray[np.float32]) -> None:
    session = FixedSession({1: 0.5})
    session.probs = probs
    with pytest.raises(ModelFailure):
        recogniser(session).recognise(Recogniser.example(), None)
