"""Which brand the text on a product names, precision before recall.

A line is compared word by word with the lexicon; what comes out is scored by how well it fits,
how surely the line was read and how large it is printed. Names outside the lexicon are believed
only where the print says that they are one ("Brand: X", "X®").
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from models.recognition.lexicon import Alias, Brand, Lexicon
from models.recognition.words import Word, clean, confusable, joined, words
from packshot.results import Finding, TextLine

#: How far an exact, a confusable ("C0CA-COLA") and a labelled name are believed at best.
EXACT, CONFUSABLE, LABELLED = 0.97, 0.90, 0.92

#: An everyday word on a large line of its own: often a brand, often what is inside.
COMMON = 0.72

#: A name outside the lexicon that carries a ® or ™: it may be a slogan or an ingredient's.
MARKED = 0.70

#: Letters from which on a misread name is looked for: below, another word is one letter away.
FUZZY_FROM = 7

#: Letters from which on two misread letters are forgiven.
TWO_EDITS_FROM = 10

#: Chinese characters from which on one misread character is forgiven.
FUZZY_CHINESE_FROM = 4

#: Below this a finding is not worth a person's look.
FLOOR = 0.30

#: A line this much smaller than the tallest (and smaller still) counts less: small print names
#: makers of ingredients and of the phone that a case fits.
PROMINENT = 0.5

#: Share of a whole-line alias's height, relative to the tallest line, for an everyday word.
COMMON_PROMINENT = 0.45

#: Factor where another, unrelated brand is found almost as surely.
RIVALRY = 0.75

#: A rival counts from this share of the best score on.
RIVAL_FROM = 0.85

#: What may stand around a short Chinese brand: anything else makes it part of another word.
_CHINESE_SUFFIX = re.compile(
    "牌|乳业|牛奶|纯牛奶|鲜牛奶|酸奶|酸牛奶|奶粉|食品|饮料|饮品|啤酒|茶业|酒业|咖啡|果汁|矿泉水|日化"
    "|股份|集团|公司|有限|官方|旗舰|出品|荣誉|制造|正品|电器|家电|电子|手机|科技|运动|体育"
)

#: What stands before a brand that the product merely fits.
_FITS = re.compile(
    r"(?:\b(?:compatible with|works with|fits|fit for|for use with|suitable for|designed for|for)"
    r"|适用于?|适配|兼容|支持|匹配|配套)\s*[:：]?\s*$"
)

#: A label that announces the brand, and the name up to a break.
_LABEL = re.compile(
    r"(?:^|[\s|,;，；])(?:brand(?:\s*name)?|marque|marke|品\s*牌|商\s*标|牌\s*子)\s*[:：]\s*"
    r"(?P<name>[^\s,;，；|/][^,;，；|/]{0,39})",
    re.IGNORECASE,
)

#: A name before a registered or trade mark sign; "(R)" and "TM" are how readers see the signs.
_MARK = re.compile(
    r"(?P<name>[A-Z][\w&'’.-]*(?: [A-Z][\w&'’.-]*){0,2}|[\u4e00-\u9fff]{2,8})\s?[®™]"
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    value: str
    brand: Brand | None
    score: float
    rule: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    index: int
    cleaned: str
    words: tuple[Word, ...]
    probability: float
    prominence: float


def find_brand(lines: Sequence[TextLine], lexicon: Lexicon) -> Finding | None:
    """Name the brand, or None where the text names none.

    Args:
        lines: what was read, in reading order.
        lexicon: known brands.

    Returns:
        The canonical name; `confidence` estimates the chance that it is the product's brand
        (rules of this module, not fitted to data); `rule` is one of `lexicon:exact`,
        `lexicon:confusable`, `lexicon:fuzzy`, `label`, `trademark` with the spelling that matched.
    """
    heights = [line_height(line) for line in lines]
    tallest = max(heights, default=0.0)
    candidates: list[_Candidate] = []
    for index, line in enumerate(lines):
        cleaned = clean(line.text)
        prominence = heights[index] / tallest if tallest > 0 else 1.0
        view = _Line(index, cleaned, words(cleaned), line.probability, prominence)
        candidates += _known(view, lexicon)
        candidates += _announced(line, view, lexicon)
    return _choose(candidates, lexicon)


def line_height(line: TextLine) -> float:
    """Height of the letters in pixels: the shorter side of the polygon."""
    (ax, ay), (bx, by), (cx, cy), _ = line.polygon
    width = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
    height = ((cx - bx) ** 2 + (cy - by) ** 2) ** 0.5
    return float(min(width, height))


def _known(line: _Line, lexicon: Lexicon) -> Iterable[_Candidate]:
    found: list[tuple[float, Alias, str]] = []
    for start in range(len(line.words)):
        if line.words[start].chinese:
            found += _chinese(line, start, lexicon)
        else:
            found += _latin(line, start, lexicon)
    for quality, alias, how in found:
        yield _Candidate(
            alias.brand.name,
            alias.brand,
            _score(line, alias, quality, fuzzy=how == "fuzzy"),
            f"lexicon:{how} {alias.text}",
            (line.index,),
        )


def _latin(line: _Line, start: int, lexicon: Lexicon) -> Iterable[tuple[float, Alias, str]]:
    if _FITS.search(line.cleaned[: line.words[start].start]):
        return
    for end in range(start + 1, min(start + 4, len(line.words)) + 1):
        window = line.words[start:end]
        if window[-1].chinese:
            return
        key = "".join(word.key for word in window)
        whole = len(window) == len(line.words)
        if alias := lexicon.exact(key):
            if _allowed(alias, line, whole=whole):
                yield COMMON if alias.common else EXACT, alias, "exact"
        elif len(key) >= 5 and (alias := lexicon.folded(key)):
            if _allowed(alias, line, whole=whole) and not key.isdigit():
                yield CONFUSABLE, alias, "confusable"
        elif len(key) >= FUZZY_FROM - 1:
            yield from _misread(key, len(window), lexicon)


def _misread(key: str, count: int, lexicon: Lexicon) -> Iterable[tuple[float, Alias, str]]:
    folded = confusable(key)
    for alias in lexicon.aliases:
        length = len(alias.key)
        if alias.chinese or alias.common or length < FUZZY_FROM or abs(alias.words - count) > 1:
            continue
        edits = 2 if length >= TWO_EDITS_FROM else 1
        target = confusable(alias.key)
        # A misread first letter makes another word more often than a misread brand.
        if folded[0] != target[0] or abs(len(folded) - length) > edits:
            continue
        distance = OSA.distance(folded, target, score_cutoff=edits)
        if distance <= edits:
            yield EXACT * (1 - distance / length) ** 2, alias, "fuzzy"


def _chinese(line: _Line, start: int, lexicon: Lexicon) -> Iterable[tuple[float, Alias, str]]:
    run = line.words[start]
    for left in range(len(run.key)):
        if _FITS.search(line.cleaned[: run.start + left]):
            continue
        for length in range(2, min(lexicon.longest_chinese, len(run.key) - left) + 1):
            part = run.key[left : left + length]
            alias = lexicon.exact(part)
            if alias and _stands_alone(alias, run.key, left):
                whole = len(line.words) == 1 and part == run.key
                if _allowed(alias, line, whole=whole):
                    yield COMMON if alias.common else EXACT, alias, "exact"
    if len(run.key) >= FUZZY_CHINESE_FROM:
        yield from _miswritten(run.key, lexicon)


def _miswritten(run: str, lexicon: Lexicon) -> Iterable[tuple[float, Alias, str]]:
    """One wrong character, and only where the name is the whole run: Chinese words are short."""
    for alias in lexicon.aliases:
        if alias.chinese and not alias.common and len(alias.key) == len(run):
            wrong = sum(a != b for a, b in zip(run, alias.key, strict=True))
            if wrong == 1:
                yield EXACT * (1 - wrong / len(run)) ** 2, alias, "fuzzy"


def _stands_alone(alias: Alias, run: str, left: int) -> bool:
    """Whether a Chinese alias is a word there: long ones are, short ones need a fitting end."""
    if len(alias.key) >= 3 and not alias.common:
        return True
    rest = run[left + len(alias.key) :]
    return left == 0 and (not rest or _CHINESE_SUFFIX.match(rest) is not None)


def _allowed(alias: Alias, line: _Line, *, whole: bool) -> bool:
    """Everyday words, and names of one or two letters, count only as a large line of their own."""
    if alias.common or (not alias.chinese and len(alias.key) <= 2):
        return whole and line.prominence >= COMMON_PROMINENT
    return True


def _score(line: _Line, alias: Alias, quality: float, *, fuzzy: bool) -> float:
    length = len(alias.key) * (2 if alias.chinese else 1)
    if fuzzy:
        # The line is known to be misread: only part of its doubt concerns this match.
        read = 0.5 + 0.5 * line.probability
    elif length >= 5:
        # A wrong reading hardly ever spells a long brand name by chance.
        read = 1 - 0.25 * (1 - line.probability)
    else:
        read = line.probability
    return quality * read * _weight(line.prominence)


def _weight(prominence: float) -> float:
    return min(1.0, 0.55 + 0.45 * prominence / PROMINENT)


def _announced(line: TextLine, view: _Line, lexicon: Lexicon) -> Iterable[_Candidate]:
    for pattern, belief, rule in ((_LABEL, LABELLED, "label"), (_MARK, MARKED, "trademark")):
        for match in pattern.finditer(line.text):
            name = match.group("name").strip(" .:-®™")
            key = joined(name)
            alias = lexicon.exact(key) or lexicon.folded(key)
            if len(key) < 2 or key.isdigit():
                continue
            score = (EXACT if alias else belief) * view.probability
            if rule == "trademark":
                score *= _weight(view.prominence)
            yield _Candidate(
                alias.brand.name if alias else name,
                alias.brand if alias else None,
                score,
                f"{rule} {name}",
                (view.index,),
            )


def _choose(candidates: Sequence[_Candidate], lexicon: Lexicon) -> Finding | None:
    best: dict[str, _Candidate] = {}
    for candidate in candidates:
        known = best.get(candidate.value)
        best[candidate.value] = _together(known, candidate) if known else candidate
    houses = _houses(best, lexicon)
    ranked = sorted(
        (entry for name, entry in best.items() if name not in houses),
        key=lambda entry: (-entry.score, entry.lines),
    )
    if not ranked or ranked[0].score < FLOOR:
        return None
    winner = ranked[0]
    score = winner.score
    if len(ranked) > 1 and ranked[1].score >= RIVAL_FROM * score:
        score *= RIVALRY
    return Finding(
        value=winner.value,
        confidence=round(min(score, 0.99), 4),
        rule=winner.rule,
        lines=winner.lines,
    )


def _houses(best: dict[str, _Candidate], lexicon: Lexicon) -> frozenset[str]:
    """Parents of brands that were found too: the product's own name says more than its house's."""
    parents = set()
    for entry in best.values():
        parent = entry.brand.parent if entry.brand else None
        if parent and parent in best and entry.score >= 0.6 * best[parent].score:
            parents.add(parent)
    return frozenset(name for name in parents if lexicon.brand(name))


def _together(a: _Candidate, b: _Candidate) -> _Candidate:
    """The same brand twice: two readings support each other, half as much as two witnesses."""
    strong, weak = (a, b) if a.score >= b.score else (b, a)
    lines = tuple(sorted({*a.lines, *b.lines}))
    support = 0.0 if lines == strong.lines else 0.5 * weak.score
    score = 1 - (1 - strong.score) * (1 - support)
    return _Candidate(strong.value, strong.brand, score, strong.rule, lines)
