"""What is suspicious about a matte, in numbers and in sentences.

The constants were set by eye on 27 product and street photos and agree there with what a person
would send back; they are not a calibrated probability.
"""

from dataclasses import dataclass

from models.matting.u2net import PRESENT, Saliency
from packshot.imaging.inspect import CONTACT, SIDES, UNCERTAIN, Facts
from packshot.results import Signal

#: Confidence without any doubt. A net that is wrong and sure of it, such as one that fills the loop
#: of a bag's handle, leaves no trace here: 1 of 28 composites with a known alpha was like that.
BEST = 0.97
#: Doubt at which the confidence has fallen to a half, and how steeply it falls. Clean mattes had a
#: doubt up to 0.85; half cartons, badges and ghosts of a second product from 1.34 on. With these
#: numbers a confidence of 0.85 lies between the two.
DOUBT_HALF, DOUBT_POWER = 2.5, 2
#: Doubt from which `uncertain_edges` is raised: where the confidence passes 0.85.
DOUBT_LIMIT = 0.95
#: From this raw maximum of the net on there is certainly something.
SURE = 0.95
#: A subject smaller than this share of the picture is none.
EMPTY = 1e-3
#: A subject larger than this share is more likely a picture without a background.
FULL = 0.95
#: What a full matte does to the confidence: it may be right, but nobody asks for it.
FULL_FACTOR = 0.5
#: Confidence in an alpha that came with the photo: somebody made it, nobody here checked it.
SUPPLIED = 0.95


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far a matte can be trusted, in [0, 1], and what was noticed."""

    confidence: float
    signals: tuple[Signal, ...]


def judge(facts: Facts, saliency: Saliency | None) -> Verdict:
    """Judge a matte by what it looks like; `saliency` is None for a supplied alpha."""
    if facts.box is None or facts.coverage < EMPTY:
        return Verdict(0.0, (_empty(facts, saliency),))
    confidence = SUPPLIED if saliency is None else _trust(saliency)
    signals = []
    if facts.coverage > FULL:
        confidence *= FULL_FACTOR
        signals.append(_full(facts))
    if saliency is not None and saliency.doubt > DOUBT_LIMIT:
        signals.append(_undecided(facts, saliency))
    if facts.touches:
        signals.append(_cropped(facts))
    if facts.subjects > 1:
        signals.append(_several(facts))
    return Verdict(confidence, tuple(signals))


def _trust(saliency: Saliency) -> float:
    present = min(1.0, max(0.0, (saliency.presence - PRESENT) / (SURE - PRESENT)))
    return BEST * present / (1 + (saliency.doubt / DOUBT_HALF) ** DOUBT_POWER)


def _empty(facts: Facts, saliency: Saliency | None) -> Signal:
    if saliency is not None and saliency.presence < PRESENT:
        return Signal(
            code="empty_matte",
            message=f"The net found no subject: its strongest answer is {saliency.presence:.2f}, "
            f"below {PRESENT:.2f}.",
            field="matte",
            value=saliency.presence,
            threshold=PRESENT,
        )
    return Signal(
        code="empty_matte",
        message=f"Hardly anything is left after matting: {facts.coverage:.3%} of the picture, "
        f"at least {EMPTY:.1%} is wanted in one piece.",
        field="matte",
        value=facts.coverage,
        threshold=EMPTY,
    )


def _full(facts: Facts) -> Signal:
    return Signal(
        code="full_matte",
        message=f"The subject covers {facts.coverage:.0%} of the picture, more than {FULL:.0%}: "
        "there seems to be no background.",
        field="matte",
        value=facts.coverage,
        threshold=FULL,
    )


def _undecided(facts: Facts, saliency: Saliency) -> Signal:
    low, high = UNCERTAIN
    return Signal(
        code="uncertain_edges",
        message="The net is undecided about parts of the subject or its edge: doubt "
        f"{saliency.doubt:.2f}, above {DOUBT_LIMIT:.2f}; the matte's alpha is between {low} and "
        f"{high} on {facts.uncertain:.0%} of the subject's area.",
        field="matte",
        value=saliency.doubt,
        threshold=DOUBT_LIMIT,
    )


def _cropped(facts: Facts) -> Signal:
    longest = max(facts.contact)
    where = ", ".join(
        f"{side} ({share:.0%})"
        for side, share in zip(SIDES, facts.contact, strict=True)
        if side in facts.touches
    )
    return Signal(
        code="subject_cropped",
        message=f"The subject lies on the picture's border: {where} of that side, from "
        f"{CONTACT:.0%} on it counts as cropped.",
        field="matte",
        value=longest,
        threshold=CONTACT,
    )


def _several(facts: Facts) -> Signal:
    return Signal(
        code="several_subjects",
        message=f"The matte has {facts.subjects} separate parts, more than 1; the largest has "
        f"{facts.largest:.0%} of the area.",
        field="matte",
        value=float(facts.subjects),
        threshold=1.0,
    )
