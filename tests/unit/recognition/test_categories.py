import re

import pytest

from models.recognition.categories import CLASS_COUNT, GROUPS, NO_GROUP, Categories, Label
from packshot.errors import ConfigurationError


@pytest.fixture(scope="module")
def categories() -> Categories:
    return Categories.default()


def test_every_class_has_one_row_with_names_in_both_languages(categories: Categories) -> None:
    labels = list(categories)
    assert len(labels) == len(categories) == CLASS_COUNT
    assert [label.id for label in labels] == list(range(CLASS_COUNT))
    assert not [label for label in labels if not label.en.strip() or "," in label.en]
    # T恤 and iPod播放器 hold Latin letters, but no name is without Chinese ones.
    assert not [label for label in labels if not re.search("[\u4e00-\u9fff]", label.zh)]


def test_names_are_unique_enough_to_tell_classes_apart(categories: Categories) -> None:
    assert len({label.en for label in categories}) == CLASS_COUNT
    assert len({label.zh for label in categories}) == CLASS_COUNT


def test_groups_are_known_used_and_agree_with_the_flag(categories: Categories) -> None:
    assert {label.group for label in categories} == set(GROUPS)
    assert all(label.product == (label.group != NO_GROUP) for label in categories)
    assert 400 < sum(label.product for label in categories) < 500


@pytest.mark.parametrize(
    ("index", "en", "zh", "product", "group"),
    [
        (1, "goldfish", "金鱼", False, "none"),
        (122, "American lobster", "波士顿龙虾", True, "food"),
        (207, "golden retriever", "金毛寻回犬", False, "none"),
        (285, "Egyptian cat", "埃及猫", False, "none"),
        (339, "sorrel", "栗色马", False, "none"),
        (388, "giant panda", "大熊猫", False, "none"),
        (404, "airliner", "客机", False, "none"),
        (414, "backpack", "双肩背包", True, "bags"),
        (430, "basketball", "篮球", True, "sports"),
        (440, "beer bottle", "啤酒瓶", True, "packaging"),
        (478, "carton", "纸盒", True, "packaging"),
        (487, "mobile phone", "手机", True, "electronics"),
        (497, "church", "教堂", False, "none"),
        (504, "coffee mug", "咖啡杯", True, "kitchen"),
        (508, "computer keyboard", "电脑键盘", True, "electronics"),
        (529, "diaper", "纸尿裤", True, "baby"),
        (546, "electric guitar", "电吉他", True, "music"),
        (582, "grocery store", "杂货店", False, "none"),
        (589, "hair dryer", "吹风机", True, "appliances"),
        (608, "jeans", "牛仔裤", True, "clothing"),
        (620, "laptop", "笔记本电脑", True, "electronics"),
        (631, "lotion", "乳液", True, "beauty"),
        (671, "mountain bike", "山地自行车", True, "vehicles"),
        (692, "packet", "小包装袋", True, "packaging"),
        (711, "perfume", "香水", True, "beauty"),
        (721, "pillow", "枕头", True, "home"),
        (737, "soda bottle", "汽水瓶", True, "packaging"),
        (762, "restaurant", "餐馆", False, "none"),
        (770, "running shoe", "跑鞋", True, "shoes"),
        (838, "sunscreen", "防晒霜", True, "beauty"),
        (846, "table lamp", "台灯", True, "home"),
        (850, "teddy bear", "泰迪熊", True, "toys"),
        (898, "water bottle", "水瓶", True, "packaging"),
        (907, "wine bottle", "葡萄酒瓶", True, "packaging"),
        (919, "street sign", "路牌", False, "none"),
        (951, "lemon", "柠檬", True, "produce"),
        (954, "banana", "香蕉", True, "produce"),
        (963, "pizza", "披萨", True, "food"),
        (967, "espresso", "意式浓缩咖啡", True, "drinks"),
        (980, "volcano", "火山", False, "none"),
        (983, "scuba diver", "潜水员", False, "none"),
        (999, "toilet paper", "卫生纸", True, "home"),
    ],
)
def test_known_classes(
    index: int, en: str, zh: str, product: bool, group: str, categories: Categories
) -> None:
    assert categories[index] == Label(index, en, zh, product, group)
    assert categories[index].group_zh == GROUPS[group]


HEADER = "id\ten\tzh\tproduct\tgroup\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(HEADER, "has 0 rows", id="empty"),
        pytest.param(HEADER + "0\ttench\t丁鱥\t0\tnone\n", "has 1 rows", id="too short"),
        pytest.param(HEADER + "x\ttench\t丁鱥\t0\tnone\n", "malformed", id="id is no number"),
        pytest.param(HEADER + "0\ttench\t丁鱥\tno\tnone\n", "malformed", id="flag is no flag"),
        pytest.param(HEADER + "0\t\t丁鱥\t0\tnone\n", "incompletely", id="no name"),
        pytest.param(HEADER + "0\ttench\t丁鱥\t1\tnone\n", "incompletely", id="goods in no group"),
        pytest.param(HEADER + "0\ttench\t丁鱥\t1\tfish\n", "incompletely", id="unknown group"),
        pytest.param("id\ten\n0\ttench\n", "malformed", id="columns missing"),
        pytest.param(
            HEADER + "0\ttench\t丁鱥\t0\tnone\n" * CLASS_COUNT, "once", id="one class repeated"
        ),
    ],
)
def test_a_damaged_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Categories.parse(text)
