from collections.abc import Sequence

import pytest

from models.recognition.brand import find_brand
from models.recognition.lexicon import Lexicon
from models.recognition.matching import line_height
from packshot.results import Finding, TextLine


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.default()


def line(text: str, *, height: float = 40, probability: float = 0.97) -> TextLine:
    """One level line; letters of `height` pixels, always wider than high."""
    corners = ((0.0, 0.0), (500.0, 0.0), (500.0, height), (0.0, height))
    return TextLine(
        polygon=corners, text=text, score=probability, probability=probability, script="latin"
    )


def find(texts: Sequence[str | TextLine], lexicon: Lexicon) -> Finding | None:
    return find_brand([t if isinstance(t, TextLine) else line(t) for t in texts], lexicon)


@pytest.mark.parametrize(
    ("texts", "brand"),
    [
        pytest.param(["光明", "优加", "纯牛奶", "PURE MILK"], "UBEST", id="house and line"),
        pytest.param(["光明", "纯牛奶"], "Bright", id="short Chinese, alone"),
        pytest.param(["光明乳业股份有限公司"], "Bright", id="short Chinese, with company"),
        pytest.param(["伊利", "奔跑吧安慕希", "安慕希"], "Ambrosial", id="product over house"),
        pytest.param(["奔跑吧安慕希"], "Ambrosial", id="long Chinese inside a run"),
        pytest.param(["莫斯利安原产益生菌种发酵"], "Momchilovtsi", id="Chinese prefix"),
        pytest.param(["旺仔牛奶"], "Hot-Kid", id="short Chinese and a suffix"),
        pytest.param(["農夫山泉"], "Nongfu Spring", id="traditional characters"),
        pytest.param(["可口可乐 Coca-Cola"], "Coca-Cola", id="two scripts"),
        pytest.param(["COCA COLA"], "Coca-Cola", id="space for hyphen"),
        pytest.param(["cocacola zero sugar"], "Coca-Cola", id="nothing for hyphen"),
        pytest.param(["Ｃｏｃａ－Ｃｏｌａ"], "Coca-Cola", id="full width"),
        pytest.param(["C0CA-C0LA"], "Coca-Cola", id="zero for o"),
        pytest.param(["NESCAFE GOLD"], "Nescafé", id="accent lost"),
        pytest.param(["L’ORÉAL PARIS"], "L'Oréal", id="typographic apostrophe"),
        pytest.param(["LOreal"], "L'Oréal", id="apostrophe lost"),
        pytest.param(["TROPICANA", "Juice smooth"], "Tropicana", id="Tropicana"),
        pytest.param(["alpro", "soya"], "Alpro", id="Alpro"),
        pytest.param(["Valio", "VANILJ"], "Valio", id="Valio"),
        pytest.param(["Arla Ko", "Standardmjölk"], "Arla", id="Arla"),
        pytest.param(["OATLY!"], "Oatly", id="Oatly"),
        pytest.param(["SAMSUNG", "Model: WW90T"], "Samsung", id="electronics"),
        pytest.param(["LG"], "LG", id="two letters as a line"),
        pytest.param(["Head & Shoulders"], "Head & Shoulders", id="ampersand"),
        pytest.param(["H&M"], "H&M", id="ampersand inside"),
        pytest.param(["TIDE"], "Tide", id="everyday word, large and alone"),
        pytest.param(["AirPods Pro"], "Apple", id="by its product line"),
        pytest.param(["Lumora"], "Lumora", id="sample, Latin"),
        pytest.param(["露茉"], "Lumora", id="sample, Chinese"),
        pytest.param(["NORTHLEAF", "oat drink"], "Northleaf", id="sample, capitals"),
        pytest.param(["北叶食品"], "Northleaf", id="sample, with suffix"),
        pytest.param(["汐井 矿泉水"], "Tidewell", id="sample, with a space"),
        # What a reader makes of arcs and drawn logos.
        pytest.param(["Cca-Cola.caC"], "Coca-Cola", id="misread Coca-Cola"),
        pytest.param(["NONGU SPRING"], "Nongfu Spring", id="misread Nongfu"),
        pytest.param(["NONGU SRING"], "Nongfu Spring", id="misread twice"),
        pytest.param(["MOMCHILOVT"], "Momchilovtsi", id="cut short"),
        pytest.param(["AMBPOΣIAL"], "Ambrosial", id="Greek letters"),
        pytest.param(["莫斯利女"], "Momchilovtsi", id="one wrong character"),
        pytest.param(["BRlGHTPEAK"], "Brightpeak", id="l for I"),
        pytest.param(["Brightpeek"], "Brightpeak", id="one wrong letter"),
        pytest.param(["Brand: Zorvex"], "Zorvex", id="label, unknown"),
        pytest.param(["品牌：山见"], "山见", id="Chinese label, unknown"),
        pytest.param(["品牌:光明"], "Bright", id="Chinese label, known"),
        pytest.param(["Zorvex® super clean"], "Zorvex", id="registered mark"),
        pytest.param(["lumora™"], "Lumora", id="known name with a sign"),
        pytest.param(["山见™ 面霜"], "山见", id="trade mark, Chinese"),
    ],
)
def test_a_brand_is_found(texts: list[str], brand: str, lexicon: Lexicon) -> None:
    found = find(texts, lexicon)
    assert found is not None
    assert found.value == brand
    assert found.lines


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param([], id="no text"),
        pytest.param([""], id="empty line"),
        pytest.param(["净含量:200mL", "纯牛奶", "PURE MILK", "优质乳蛋白"], id="milk carton"),
        pytest.param(["奶源源自高品质牧场", "巴氏杀菌热处理风味酸牛奶"], id="Chinese claims"),
        pytest.param(["希腊风味酸奶", "新品上市", "内含果肉", "230g*10瓶"], id="advertisement"),
        pytest.param(["正品促销", "大桶装更划算", "强力去污符合国标", "假一赔十"], id="shop"),
        pytest.param(["ポイ捨て禁止!", "NO LITTER", "MINATO CITY"], id="Japanese sign"),
        pytest.param(["Seoul", "Pyeongyang", "56Km", "205Km"], id="road sign"),
        pytest.param(["APPLE JUICE", "100% pure"], id="apple juice"),
        pytest.param(["APPLE"], id="apple as a flavour"),
        pytest.param(["小米", "有机杂粮"], id="millet"),
        pytest.param(["苹果", "新鲜水果"], id="apple in Chinese"),
        pytest.param(["完美的一天", "健美的你"], id="everyday Chinese inside a run"),
        pytest.param(["光明的未来", "前途光明"], id="short Chinese inside a sentence"),
        pytest.param(["统一售价", "全国统一零售价"], id="uniform price"),
        pytest.param(["三元及第", "清风徐来"], id="idioms"),
        pytest.param(["sweet dove-white finish", "high tide"], id="everyday English inside"),
        pytest.param(["bright white teeth", "a bright future"], id="bright"),
        pytest.param(["BRIGHT"], id="bright alone"),
        pytest.param(["CLEAR", "NICE", "SNOW"], id="adjectives alone"),
        pytest.param(["100% cotton lining"], id="lining"),
        pytest.param(["2 HP motor", "5 LG tubes"], id="two letters inside a line"),
        pytest.param(["recycled papers", "stickers inside"], id="one letter from a brand"),
        pytest.param(["absolute comfort", "energize your day"], id="nearly a brand"),
        pytest.param(["Compatible with Samsung", "fits iPhone 15"], id="fits other makers"),
        pytest.param(["适用于华为", "兼容小米"], id="fits other makers, Chinese"),
        pytest.param(["for Nintendo Switch"], id="for another maker"),
        pytest.param(["Whole Grain Crackers", "Net Wt 200g", "Baked in Italy"], id="crackers"),
        pytest.param(["INGREDIENTS: sugar, cocoa butter, milk powder"], id="ingredients"),
        pytest.param(["配料：生牛乳、白砂糖、食用盐", "保质期：6个月"], id="Chinese ingredients"),
        pytest.param(["Milchschokolade", "Vollmilch", "ohne Zucker"], id="German"),
        pytest.param(["Lait entier", "Crème fraîche épaisse"], id="French"),
        pytest.param(["中脂牛奶", "冷藏保存", "请勿加热"], id="Chinese storage"),
        pytest.param(["MADE IN CHINA", "GB/T 21732", "6901234567892"], id="back of a pack"),
        pytest.param(["12345", "0000", "®", "™"], id="signs alone"),
        pytest.param(["brand new", "brand quality"], id="brand as a word"),
    ],
)
def test_no_brand_is_made_up(texts: list[str], lexicon: Lexicon) -> None:
    assert find(texts, lexicon) is None


def test_exact_beats_misread(lexicon: Lexicon) -> None:
    exact, misread = find(["Coca-Cola"], lexicon), find(["Cca-Cola"], lexicon)
    assert exact is not None
    assert misread is not None
    assert exact.confidence > 0.9
    assert misread.confidence < 0.85
    assert exact.rule == "lexicon:exact Coca-Cola"
    assert misread.rule == "lexicon:fuzzy Coca-Cola"


def test_small_print_counts_less(lexicon: Lexicon) -> None:
    large = find([line("Lumora", height=80)], lexicon)
    small = find([line("Hydrating cream", height=80), line("Lumora", height=10)], lexicon)
    assert large is not None
    assert small is not None
    assert small.confidence < 0.85 < large.confidence


def test_the_larger_of_two_brands_wins_and_both_large_are_doubtful(lexicon: Lexicon) -> None:
    clear = find([line("Intel Nikon", height=90), line("SanDisk", height=14)], lexicon)
    torn = find([line("Nikon"), line("SanDisk")], lexicon)
    assert clear is not None
    assert (clear.value, clear.lines) == ("Nikon", (0,))
    assert torn is not None
    assert torn.confidence < 0.85


def test_the_house_supports_an_everyday_word(lexicon: Lexicon) -> None:
    alone, housed = find(["优加"], lexicon), find(["光明", "优加"], lexicon)
    assert alone is not None
    assert housed is not None
    assert (alone.value, housed.value) == ("UBEST", "UBEST")
    assert alone.confidence < 0.85 < housed.confidence


def test_an_everyday_word_in_small_print_is_no_brand(lexicon: Lexicon) -> None:
    assert find([line("Washing powder", height=90), line("tide", height=20)], lexicon) is None


def test_a_badly_read_short_name_is_doubtful(lexicon: Lexicon) -> None:
    found = find([line("Arla", probability=0.4)], lexicon)
    assert found is not None
    assert found.confidence < 0.5


def test_two_lines_support_each_other(lexicon: Lexicon) -> None:
    once = find([line("Arla", probability=0.8)], lexicon)
    twice = find([line("Arla", probability=0.8), line("arla", probability=0.8)], lexicon)
    assert once is not None
    assert twice is not None
    assert once.confidence < twice.confidence <= 0.99
    assert twice.lines == (0, 1)


def test_a_trade_mark_outside_the_lexicon_is_doubtful(lexicon: Lexicon) -> None:
    found = find(["Zorvex®"], lexicon)
    assert found is not None
    assert found.confidence < 0.85


def test_height_is_that_of_the_letters_for_vertical_lines_too() -> None:
    corners = ((0.0, 0.0), (30.0, 0.0), (30.0, 400.0), (0.0, 400.0))
    tall = TextLine(
        polygon=corners, text="光明", score=1, probability=1, script="han", vertical=True
    )
    assert line_height(tall) == 30
