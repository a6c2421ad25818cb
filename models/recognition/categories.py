"""The 1000 classes of ImageNet-1k with names that people use, and which of them are goods."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from packshot.errors import ConfigurationError

#: Classes that ImageNet-1k has, and that the classifier answers.
CLASS_COUNT = 1000

#: Columns of categories.tsv.
COLUMNS = ("id", "en", "zh", "product", "group")

#: The group of everything that no catalogue sells.
NO_GROUP = "none"

#: Coarse product groups with their Chinese names, for filters and for sentences to people.
GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "food": "食品",
        "produce": "果蔬",
        "drinks": "饮料",
        "packaging": "包装容器",
        "kitchen": "厨房用品",
        "appliances": "家用电器",
        "furniture": "家具",
        "home": "家居用品",
        "clothing": "服装",
        "shoes": "鞋类",
        "accessories": "服饰配件",
        "bags": "箱包",
        "beauty": "美妆个护",
        "health": "医疗保健",
        "baby": "母婴用品",
        "toys": "玩具",
        "sports": "运动户外",
        "music": "乐器",
        "electronics": "电子产品",
        "office": "办公文具",
        "books": "图书",
        "tools": "五金工具",
        "garden": "园艺",
        "vehicles": "车辆与配件",
        "industry": "工业设备",
        "pets": "宠物用品",
        "hobby": "收藏与爱好",
        NO_GROUP: "非商品",
    }
)


@dataclass(frozen=True, slots=True)
class Label:
    """One class: its ImageNet index, names, whether it is sold as goods, and its group."""

    id: int
    en: str
    zh: str
    product: bool
    group: str

    @property
    def group_zh(self) -> str:
        """The group's Chinese name."""
        return GROUPS[self.group]


class Categories:
    """All 1000 labels, by ImageNet index."""

    def __init__(self, labels: Iterable[Label]) -> None:
        by_id = {label.id: label for label in labels}
        if set(by_id) != set(range(CLASS_COUNT)):
            raise ConfigurationError(
                f"The category table must name each class from 0 to {CLASS_COUNT - 1} once: "
                "install Packshot again."
            )
        self._labels = tuple(by_id[index] for index in range(CLASS_COUNT))

    @classmethod
    def default(cls) -> "Categories":
        """The table that ships with Packshot."""
        return cls.parse(
            resources.files("models").joinpath("data/categories.tsv").read_text("utf-8")
        )

    @classmethod
    def parse(cls, text: str) -> "Categories":
        """Read a tab-separated table with the columns id, en, zh, product (1 or 0), group.

        Raises:
            ConfigurationError: a row is malformed, or a class is missing or named twice.
        """
        labels = [
            _label(row)
            for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
        ]
        if len(labels) != CLASS_COUNT:
            raise ConfigurationError(
                f"The category table has {len(labels)} rows instead of {CLASS_COUNT}: "
                "install Packshot again."
            )
        return cls(labels)

    def __getitem__(self, index: int) -> Label:
        return self._labels[index]

    def __len__(self) -> int:
        return len(self._labels)

    def __iter__(self) -> Iterator[Label]:
        return iter(self._labels)


def _label(row: Mapping[str, str | None]) -> Label:
    try:
        identifier, en, zh, product, group = (str(row[column] or "") for column in COLUMNS)
        label = Label(int(identifier), en, zh, {"1": True, "0": False}[product], group)
    except (KeyError, ValueError) as error:
        raise ConfigurationError(
            f"The category table has a malformed row ({dict(row)}): install Packshot again."
        ) from error
    known = group in GROUPS and label.product == (group != NO_GROUP)
    if not (en and zh and known):
        raise ConfigurationError(
            f"The category table names class {label.id} incompletely: install Packshot again."
        )
    return label
