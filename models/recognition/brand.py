"""Which brand the text on a product names, precision before recall.

Every line is compared with the lexicon (`matching`) and searched for print that says that it is a
brand ("Brand: X", "X®"), the only way in for names outside the lexicon. The findings of one brand
support each other, those of two brands throw doubt on each other.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from models.recognition.lexicon import Brand, Lexicon
from models.recognition.matching import EXACT, View, matches, views
from models.recognition.words import joined
from packshot.results import Finding, TextLine

#: How far a name outside the lexicon is believed that a label announces.
LABELLED = 0.92

#: The same where it only carries a ® or ™: it may be a slogan's or an ingredient's.
MARKED = 0.70

#: Below this a finding is not worth a person's look.
FLOOR = 0.30

#: How much a second reading of the same brand counts beside the first: one misprint or one
#: advertisement makes both.
SUPPORT = 0.5

#: How much the house's name supports the brand's: nobody else prints both.
HOUSE_SUPPORT = 0.8

#: Factor where another, unrelated brand is found almost as surely.
RIVALRY = 0.75

#: A rival counts from this share of the best score on.
RIVAL_FROM = 0.85

#: A brand takes its house's place from this share of the house's score on.
OVER_HOUSE = 0.6

#: The surest that a finding gets: text alone never proves what is in the box.
CEILING = 0.99

#: A label that announces the brand, and the name up to a break.
_LABEL = re.compile(
    r"(?:^|[\s|,;，；])(?:brand(?:\s*name)?|marque|marke|品\s*牌|商\s*标|牌\s*子)\s*[:：]\s*"
    r"(?P<name>[^\s,;，；|/][^,;，；|/]{0,39})",
    re.IGNORECASE,
)

#: A name before a registered or trade mark sign.
_MARK = re.compile(
    r"(?P<name>\b[A-Z][\w&'’.-]{0,24}(?: [A-Z][\w&'’.-]{0,24}){0,2}|[\u4e00-\u9fff]{2,8})\s?[®™]"
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    value: str
    brand: Brand | None
    score: float
    rule: str
    lines: tuple[int, ...]


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
    candidates: list[_Candidate] = []
    for line, view in zip(lines, views(lines), strict=True):
        candidates += _known(view, lexicon)
        candidates += _announced(line, view, lexicon)
    return _choose(candidates)


def _known(line: View, lexicon: Lexicon) -> Iterable[_Candidate]:
    for match in matches(line, lexicon):
        brand, rule = match.alias.brand, f"lexicon:{match.how} {match.alias.text}"
        yield _Candidate(brand.name, brand, match.score, rule, (line.index,))


def _announced(line: TextLine, view: View, lexicon: Lexicon) -> Iterable[_Candidate]:
    for pattern, belief, rule in ((_LABEL, LABELLED, "label"), (_MARK, MARKED, "trademark")):
        for match in pattern.finditer(line.text):
            name = match.group("name").strip(" .:-®™")
            key = joined(name)
            alias = lexicon.exact(key) or lexicon.folded(key)
            if len(key) < 2 or key.isdigit():
                continue
            score = (EXACT if alias else belief) * view.probability
            if rule == "trademark":
                score *= view.weight
            yield _Candidate(
                alias.brand.name if alias else name,
                alias.brand if alias else None,
                score,
                f"{rule} {name}",
                (view.index,),
            )


def _choose(candidates: Sequence[_Candidate]) -> Finding | None:
    best: dict[str, _Candidate] = {}
    for candidate in candidates:
        known = best.get(candidate.value)
        best[candidate.value] = _together(known, candidate, SUPPORT) if known else candidate
    ranked = sorted(_without_houses(best), key=lambda entry: (-entry.score, entry.lines))
    if not ranked or ranked[0].score < FLOOR:
        return None
    winner = ranked[0]
    rivalled = len(ranked) > 1 and ranked[1].score >= RIVAL_FROM * winner.score
    score = winner.score * (RIVALRY if rivalled else 1.0)
    return Finding(
        value=winner.value,
        confidence=round(min(score, CEILING), 4),
        rule=winner.rule,
        lines=winner.lines,
    )


def _without_houses(best: Mapping[str, _Candidate]) -> Iterable[_Candidate]:
    """Brands whose house was found too replace it: the product's own name says more."""
    houses = set()
    children = []
    for entry in best.values():
        house = best.get(entry.brand.parent) if entry.brand and entry.brand.parent else None
        if house is not None and entry.score >= OVER_HOUSE * house.score:
            houses.add(house.value)
            supported = 1 - (1 - entry.score) * (1 - HOUSE_SUPPORT * house.score)
            children.append(replace(entry, score=supported))
        else:
            children.append(entry)
    return [entry for entry in children if entry.value not in houses]


def _together(a: _Candidate, b: _Candidate, share: float) -> _Candidate:
    """The same brand twice; `share` is what the weaker reading counts."""
    strong, weak = (a, b) if a.score >= b.score else (b, a)
    lines = tuple(sorted({*a.lines, *b.lines}))
    support = 0.0 if lines == strong.lines else share * weak.score
    score = 1 - (1 - strong.score) * (1 - support)
    return replace(strong, score=score, lines=lines)
