"""How sure recognition is, and what a person should look at.

The confidence of the step is that of its least sure statement: a catalogue row is wrong as soon
as one of its fields is. The parts are rules with stated reasons, not fitted to labelled photos;
the thresholds are to be revisited when reviewers' decisions have accumulated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.recognition.categories import Label
from models.recognition.classifier import Classified
from packshot.results import Category, Finding, Signal, TextLine

#: A category below this is more likely wrong than right.
CATEGORY_UNSURE = 0.5

#: Brand and model below this go to a person; 0.85 until calibrated on reviewers' decisions.
FIELD_UNSURE = 0.85

#: Goods should have at least this much of the classifier's probability together.
PRODUCT_MASS = 0.5

#: Best trust in the first guess. Measured top-1 on 473 shop photos of loose goods was 0.76, so
#: even a certain-looking guess stays well below certainty.
CATEGORY_CEILING = 0.95

#: Best trust in a guess about something printed all over that is not itself a kind of packaging:
#: the 1000 classes hold few packaged goods, and yoghurt bottles come out as lotion.
PRINTED_CEILING = 0.4

#: Surely read lines from which on the product counts as printed packaging.
PRINTED_LINES = 3

#: A line counts as surely read from this probability on.
SURELY_READ = 0.8

#: Groups whose goods carry print by nature: text on them is no surprise.
PRINTED_GROUPS = frozenset({"packaging", "books", "office", "electronics", "appliances"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The step's confidence in [0, 1] and the reasons to doubt it."""

    confidence: float
    signals: tuple[Signal, ...]


def judge(
    classified: Classified,
    *,
    brand: Finding | None,
    model: Finding | None,
    lines: Sequence[TextLine],
) -> Verdict:
    """Weigh what was found: the minimum over category, brand and model, where stated.

    A missing brand or model costs nothing: most products show none.
    """
    top = classified.categories[0]
    printed = _printed(classified.labels[0], lines)
    sure = category_confidence(classified.categories, printed=printed)
    parts = [sure, *(finding.confidence for finding in (brand, model) if finding)]
    signals = (
        *_about_kind(classified, top),
        *_about_category(classified, top, sure, printed=printed),
        *_about_field("brand", brand),
        *_about_field("model", model),
    )
    return Verdict(round(min(parts), 4), signals)


def category_confidence(categories: Sequence[Category], *, printed: bool) -> float:
    """Chance that the first guess is right, at most `CATEGORY_CEILING`.

    The softmax of the first guess is damped by how close the second comes: p1 * (1 - p2 / p1 / 2).
    A tie halves it, a lone guess keeps it.
    """
    first = categories[0].probability
    second = categories[1].probability if len(categories) > 1 else 0.0
    damped = first - second / 2
    return min(max(damped, 0.0), PRINTED_CEILING if printed else CATEGORY_CEILING)


def _printed(top: Label, lines: Sequence[TextLine]) -> bool:
    read = sum(line.probability >= SURELY_READ for line in lines)
    return read >= PRINTED_LINES and top.group not in PRINTED_GROUPS


def _about_kind(classified: Classified, top: Category) -> tuple[Signal, ...]:
    if classified.product_mass >= PRODUCT_MASS:
        return ()
    return (
        Signal(
            code="not_a_product",
            message=f"The picture looks like something that is not sold as goods: {top.en}.",
            field="category",
            value=round(classified.product_mass, 4),
            threshold=PRODUCT_MASS,
        ),
    )


def _about_category(
    classified: Classified, top: Category, sure: float, *, printed: bool
) -> tuple[Signal, ...]:
    if sure >= CATEGORY_UNSURE:
        return ()
    why = (
        "the text shows packaged goods, which the categories hardly cover"
        if printed
        else f"the likeliest group is {classified.group} ({classified.group_mass:.0%})"
    )
    return (
        Signal(
            code="category_unsure",
            message=f"The category may be wrong: {top.en} is only the best guess, and {why}.",
            field="category",
            value=round(sure, 4),
            threshold=CATEGORY_UNSURE,
        ),
    )


def _about_field(field: str, finding: Finding | None) -> tuple[Signal, ...]:
    if finding is None or finding.confidence >= FIELD_UNSURE:
        return ()
    return (
        Signal(
            code=f"{field}_unsure",
            message=f"Check the {field} {finding.value!r}: it was found by {finding.rule}.",
            field=field,
            value=finding.confidence,
            threshold=FIELD_UNSURE,
        ),
    )
