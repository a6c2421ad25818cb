"""Words of a line against the lexicon: exactly, confusably ("C0CA-COLA"), and misread."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from models.recognition.lexicon import FUZZY_FROM, Alias, Lexicon
from models.recognition.words import Word, clean, confusable, words
from packshot.results import TextLine

#: How far an exact and a confusable spelling are believed at best.
EXACT, CONFUSABLE = 0.97, 0.90

#: An everyday word on a large line of its own: often a brand, often what is inside.
COMMON = 0.72

#: Words that one Latin name may have, and parts that a reader may tear it into.
LONGEST_NAME = 4

#: Letters from which on a confusable spelling is looked for: short words have many neighbours.
CONFUSABLE_FROM = 5

#: Letters from which on two misread letters are forgiven.
TWO_EDITS_FROM = 10

#: Chinese characters from which on one misread character is forgiven.
FUZZY_CHINESE_FROM = 4

#: Height, as a share of the tallest line's, from which on a line counts in full: small print
#: names makers of ingredients and of the phone that a case fits.
PROMINENT = 0.5

#: What remains of the belief in a line of no height at all.
SMALL_PRINT = 0.55

#: The same share that an everyday word needs to count at all.
COMMON_PROMINENT = 0.45

#: What may stand around a short Chinese brand: anything else makes it part of another word.
_CHINESE_SUFFIX = re.compile(
    "牌|乳业|牛奶|纯牛奶|鲜牛奶|酸奶|酸牛奶|奶粉|食品|饮料|饮品|啤酒|茶业|酒业|咖啡|果汁|矿泉水|日化"
    "|股份|集团|公司|有限|官方|旗舰|出品|荣誉|制造|正品|电器|家电|电子|手机|科技|运动|体育"
)

#: Characters before a brand that are searched for such words.
FITS_REACH = 32

#: What stands before a brand that the product merely fits.
_FITS = re.compile(
    r"(?:\b(?:compatible with|works with|fits|fit for|for use with|suitable for|designed for|for)"
    r"|适用于?|适配|兼容|支持|匹配|配套)\s*[:：]?\s*$"
)


@dataclass(frozen=True, slots=True)
class View:
    """One line taken apart; `prominence` is its height as a share of the tallest line's."""

    index: int
    cleaned: str
    words: tuple[Word, ...]
    probability: float
    prominence: float

    @property
    def weight(self) -> float:
        """What its size does to the belief in it, in [SMALL_PRINT, 1]."""
        return min(1.0, SMALL_PRINT + (1 - SMALL_PRINT) * self.prominence / PROMINENT)


@dataclass(frozen=True, slots=True)
class Match:
    """A spelling that a line has; `how` is exact, confusable or fuzzy, `score` in [0, 1]."""

    alias: Alias
    how: str
    score: float


def views(lines: Sequence[TextLine]) -> tuple[View, ...]:
    """Take every line apart."""
    heights = [line_height(line) for line in lines]
    tallest = max(heights, default=0.0)
    cleaned = [clean(line.text) for line in lines]
    return tuple(
        View(
            index=index,
            cleaned=cleaned[index],
            words=words(cleaned[index]),
            probability=line.probability,
            prominence=heights[index] / tallest if tallest > 0 else 1.0,
        )
        for index, line in enumerate(lines)
    )


def line_height(line: TextLine) -> float:
    """Height of the letters in pixels: the shorter side of the polygon."""
    (ax, ay), (bx, by), (cx, cy), _ = line.polygon
    width = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
    height = ((cx - bx) ** 2 + (cy - by) ** 2) ** 0.5
    return float(min(width, height))


def matches(line: View, lexicon: Lexicon) -> Iterable[Match]:
    """Every known spelling in one line, with the belief that it names the product's brand."""
    for start, word in enumerate(line.words):
        found = _chinese(line, start, lexicon) if word.chinese else _latin(line, start, lexicon)
        for quality, alias, how in found:
            yield Match(alias, how, _score(line, alias, quality, fuzzy=how == "fuzzy"))


def _latin(line: View, start: int, lexicon: Lexicon) -> Iterable[tuple[float, Alias, str]]:
    if _fits(line, line.words[start].start):
        return
    for end in range(start + 1, min(start + LONGEST_NAME, len(line.words)) + 1):
        window = line.words[start:end]
        if window[-1].chinese:
            return
        key = "".join(word.key for word in window)
        if len(window) == 1 and key in lexicon.ordinary:
            continue
        whole = len(window) == len(line.words)
        if alias := lexicon.exact(key):
            if _allowed(alias, line, whole=whole):
                yield COMMON if alias.common else EXACT, alias, "exact"
        elif len(key) >= CONFUSABLE_FROM and (alias := lexicon.folded(key)):
            if _allowed(alias, line, whole=whole) and not key.isdigit():
                yield COMMON if alias.common else CONFUSABLE, alias, "confusable"
        else:
            yield from _misread(key, len(window), lexicon)


def _fits(line: View, place: int) -> bool:
    """Whether the words before a place say that the product merely fits what follows."""
    return _FITS.search(line.cleaned, max(0, place - FITS_REACH), place) is not None


def _misread(key: str, count: int, lexicon: Lexicon) -> Iterable[tuple[float, Alias, str]]:
    """Long names that are one or two letters away, with the first letter right.

    A wrong first letter makes another word more often than a misread brand.
    """
    if len(key) < FUZZY_FROM - 1:
        return
    folded = confusable(key)
    for length in range(len(folded) - 2, len(folded) + 3):
        edits = 2 if length >= TWO_EDITS_FROM else 1
        for target, alias in lexicon.misreadable(folded[0], length):
            if abs(alias.words - count) > 1 or abs(len(folded) - length) > edits:
                continue
            distance = OSA.distance(folded, target, score_cutoff=edits)
            if distance <= edits:
                yield EXACT * (1 - distance / length) ** 2, alias, "fuzzy"


def _chinese(line: View, start: int, lexicon: Lexicon) -> Iterable[tuple[float, Alias, str]]:
    run = line.words[start]
    for left in range(len(run.key)):
        for length in range(2, min(lexicon.longest_chinese, len(run.key) - left) + 1):
            alias = lexicon.exact(run.key[left : left + length])
            if (
                alias
                and _stands_alone(alias, run.key, left)
                and _allowed(alias, line, whole=len(line.words) == 1 and length == len(run.key))
                and not _fits(line, run.start + left)
            ):
                yield COMMON if alias.common else EXACT, alias, "exact"
    if len(run.key) >= FUZZY_CHINESE_FROM:
        yield from _miswritten(run.key, lexicon)


def _miswritten(run: str, lexicon: Lexicon) -> Iterable[tuple[float, Alias, str]]:
    """One wrong character, and only where the name is the whole run: Chinese words are short."""
    for alias in lexicon.chinese_of_length(len(run)):
        if sum(a != b for a, b in zip(run, alias.key, strict=True)) == 1:
            yield EXACT * (1 - 1 / len(run)) ** 2, alias, "fuzzy"


def _stands_alone(alias: Alias, run: str, left: int) -> bool:
    """Whether a Chinese alias is a word there: long ones are, short ones need a fitting end."""
    if len(alias.key) >= 3 and not alias.common:
        return True
    rest = run[left + len(alias.key) :]
    return left == 0 and (not rest or _CHINESE_SUFFIX.match(rest) is not None)


def _allowed(alias: Alias, line: View, *, whole: bool) -> bool:
    """Everyday words, and names of one or two letters, count only as a large line of their own."""
    if alias.common or (not alias.chinese and len(alias.key) <= 2):
        return whole and line.prominence >= COMMON_PROMINENT
    return True


def _score(line: View, alias: Alias, quality: float, *, fuzzy: bool) -> float:
    length = len(alias.key) * (2 if alias.chinese else 1)
    if fuzzy:
        # The line is known to be misread: only part of its doubt concerns this match.
        read = 0.5 + 0.5 * line.probability
    elif length >= 5:
        # A wrong reading hardly ever spells a long brand name by chance.
        read = 1 - 0.25 * (1 - line.probability)
    else:
        read = line.probability
    return quality * read * line.weight
