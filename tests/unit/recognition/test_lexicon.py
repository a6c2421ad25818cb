import pytest

from models.recognition.lexicon import Lexicon
from models.recognition.words import clean, confusable, joined, words
from packshot.errors import ConfigurationError


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.default()


def test_the_shipped_lexicon_is_large_and_consistent(lexicon: Lexicon) -> None:
    assert len(lexicon.brands) >= 250
    assert len({brand.name for brand in lexicon.brands}) == len(lexicon.brands)
    assert {brand.sector for brand in lexicon.brands} >= {
        "dairy",
        "drinks",
        "food",
        "beauty",
        "household",
        "electronics",
        "sport",
    }


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("光明", "Bright"),
        ("伊利", "Yili"),
        ("Ambrosial", "Ambrosial"),
        ("莫斯利安", "Momchilovtsi"),
        ("旺仔", "Hot-Kid"),
        ("可口可乐", "Coca-Cola"),
        ("农夫山泉", "Nongfu Spring"),
        ("TROPICANA", "Tropicana"),
        ("露茉", "Lumora"),
        ("北叶", "Northleaf"),
        ("奇沃", "Kivo"),
        ("晴磨", "Sunmill"),
        ("明峰", "Brightpeak"),
        ("汐井", "Tidewell"),
        ("绿园", "Verdano"),
        ("赫森", "Hexon"),
    ],
)
def test_a_spelling_leads_to_its_brand(spelling: str, name: str, lexicon: Lexicon) -> None:
    alias = lexicon.exact(joined(spelling))
    assert alias is not None
    assert alias.brand.name == name


def test_chinese_names_are_chinese(lexicon: Lexicon) -> None:
    for brand in lexicon.brands:
        if brand.zh is not None:
            assert any("\u4e00" <= char <= "\u9fff" for char in brand.zh), brand


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("food = [", "cannot be read", id="not TOML"),
        pytest.param("food = 3", "cannot be read", id="sector is no list"),
        pytest.param('food = [{ zh = "甲" }]', "cannot be read", id="no name"),
        pytest.param('food = [{ name = "A1", nick = "x" }]', "unknown keys", id="unknown key"),
        pytest.param('food = [{ name = "!!" }]', "without letters", id="no letters"),
        pytest.param(
            'food = [{ name = "Ab" }, { name = "Cd", aliases = ["AB"] }]', "to both", id="clash"
        ),
        pytest.param('food = [{ name = "Ab", parent = "Zz" }]', "has no row", id="no parent"),
    ],
)
def test_a_wrong_lexicon_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Lexicon.parse(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Häagen-Dazs", "haagendazs"),
        ("L’Oréal", "loreal"),
        ("Ｍ＆Ｍ'ｓ", "m&ms"),
        ("AMBPOΣIAL", "ambposial"),
        ("7-Up", "7up"),
        ("  ", ""),
        ("农夫 山泉", "农夫山泉"),
    ],
)
def test_keys(text: str, key: str) -> None:
    assert joined(text) == key


def test_words_know_their_place() -> None:
    cleaned = clean("Big 光明 Milk")
    assert [(cleaned[w.start : w.end], w.chinese) for w in words(cleaned)] == [
        ("big", False),
        ("光明", True),
        ("milk", False),
    ]


def test_confusable_characters_fold_together() -> None:
    assert confusable("c0ca1i58") == confusable("cocaiisb")
