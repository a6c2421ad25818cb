"""Where a job goes, rule by rule."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from packshot.contract import Image, Job
from packshot.identity import uuid7
from packshot.results import (
    Category,
    Matte,
    Prepared,
    Quality,
    Recognition,
    Signal,
    TextLine,
    TextResult,
)
from packshot.routing import REVIEW_SIGNALS, Evidence, Policy, decide

ROW = UUID("01a207d6-b2ce-73bb-8ec3-033f67f4f60a")
QUIET = Policy(audit_rate=0.0)


def job(**changes: Any) -> Job:
    return Job(version=1, source="tests", job_id="1", image=Image(uri="s3://a/b"), **changes)


def prepared(*codes: str) -> Prepared:
    return Prepared(
        sha256="0" * 64,
        phash="0" * 16,
        original_key="o",
        work_key="w",
        filename="a.jpg",
        format="jpeg",
        bytes=1,
        width=10,
        height=10,
        quality=Quality(
            sharpness=200.0,
            exposure=0.5,
            clipped_dark=0.0,
            clipped_light=0.0,
            megapixels=0.1,
            signals=signals(*codes),
        ),
    )


def signals(*codes: str) -> tuple[Signal, ...]:
    return tuple(Signal(code=code, message=code) for code in codes)


def text(confidence: float | None = 0.95, *codes: str, lines: int = 1) -> TextResult:
    line = TextLine(
        polygon=((0, 0), (1, 0), (1, 1), (0, 1)), text="a", score=1, probability=1, script="latin"
    )
    return TextResult(lines=(line,) * lines, confidence=confidence, signals=signals(*codes))


def recognition(confidence: float = 0.9, *codes: str) -> Recognition:
    return Recognition(
        categories=(Category(id=1, en="tea", zh="茶", probability=0.9, product=True),),
        embedding="",
        colours=(),
        brand=None,
        model=None,
        confidence=confidence,
        signals=signals(*codes),
    )


def matte(confidence: float = 0.95, *codes: str) -> Matte:
    return Matte(
        alpha_key="a",
        cutout_key="c",
        coverage=0.5,
        uncertain=0.0,
        box=None,
        subjects=1,
        touches=(),
        confidence=confidence,
        signals=signals(*codes),
    )


SURE = Evidence(prepared(), text(), recognition(), matte())


@pytest.mark.parametrize(
    ("found", "changes", "codes"),
    [
        pytest.param(SURE, {}, [], id="sure"),
        pytest.param(replace(SURE, text=text(0.84)), {}, ["text_unsure"], id="text"),
        pytest.param(replace(SURE, text=text(0.85)), {}, [], id="text at its threshold"),
        pytest.param(
            replace(SURE, recognition=recognition(0.49)), {}, ["category_unsure"], id="category"
        ),
        pytest.param(replace(SURE, matte=matte(0.2)), {}, ["matte_unsure"], id="matte"),
        pytest.param(
            Evidence(prepared(), text(0.1), recognition(0.1), matte(0.1)),
            {},
            ["text_unsure", "category_unsure", "matte_unsure"],
            id="everything",
        ),
        pytest.param(replace(SURE, text=text(None, lines=0)), {}, [], id="no text"),
        pytest.param(
            replace(SURE, text=text(None, lines=0)),
            {"expect_text": True},
            ["no_text"],
            id="no text where some was expected",
        ),
        pytest.param(SURE, {"expect_text": True}, [], id="expected text is there"),
        pytest.param(
            replace(SURE, text=None),
            {"expect_text": True, "steps": ("matting",)},
            [],
            id="expected text was not looked for",
        ),
        pytest.param(replace(SURE, prepared=prepared("blurred")), {}, ["blurred"], id="blurred"),
        pytest.param(replace(SURE, prepared=prepared("overexposed")), {}, [], id="a mere note"),
        pytest.param(
            Evidence(
                prepared("blank"),
                text(0.95, "unsupported_script"),
                recognition(0.9, "few_colours"),
                matte(0.95, "subject_cropped", "note"),
            ),
            {},
            ["blank", "unsupported_script", "subject_cropped"],
            id="signals of every part",
        ),
        pytest.param(SURE, {"review": "always"}, ["requested"], id="requested"),
        pytest.param(
            replace(SURE, matte=matte(0.2)),
            {"review": "always"},
            ["matte_unsure", "requested"],
            id="requested and unsure",
        ),
        pytest.param(Evidence(prepared()), {"steps": ()}, [], id="nothing was asked for"),
    ],
)
def test_reasons_send_a_job_to_a_person(
    found: Evidence, changes: dict[str, Any], codes: list[str]
) -> None:
    route = decide(ROW, job(**changes), found, QUIET)
    assert [reason.code for reason in route.reasons] == codes
    assert route.to == ("review" if codes else "accepted")
    assert all(reason.message for reason in route.reasons)


@pytest.mark.parametrize("code", sorted(REVIEW_SIGNALS))
def test_every_signal_of_the_list_is_a_reason(code: str) -> None:
    route = decide(ROW, job(), replace(SURE, matte=matte(0.95, code)), QUIET)
    assert (route.to, [one.code for one in route.reasons]) == ("review", [code])


def test_never_means_never_and_keeps_the_reasons_as_data() -> None:
    route = decide(ROW, job(review="never"), replace(SURE, matte=matte(0.2)), Policy(audit_rate=1))
    assert (route.to, [one.code for one in route.reasons]) == ("accepted", ["matte_unsure"])
    assert route.audit is None


def test_a_doubt_names_both_numbers() -> None:
    (reason,) = decide(ROW, job(), replace(SURE, text=text(0.123456)), QUIET).reasons
    assert (reason.field, reason.value, reason.threshold) == ("text", 0.1235, 0.85)
    assert reason.message == "The text is only 12% certain."


@pytest.mark.parametrize(
    ("found", "lowest"),
    [
        pytest.param(SURE, 0.9, id="the least certain counts"),
        pytest.param(replace(SURE, text=text(None, lines=0)), 0.9, id="no text does not count"),
        pytest.param(Evidence(prepared()), None, id="nothing measured"),
    ],
)
def test_the_confidence_of_a_job_is_its_worst_field(found: Evidence, lowest: float | None) -> None:
    assert decide(ROW, job(), found, QUIET).confidence == lowest


def test_a_field_without_a_threshold_is_never_doubted() -> None:
    route = decide(ROW, job(), replace(SURE, text=text(0.0)), Policy(thresholds={}, audit_rate=0))
    assert route.to == "accepted"


def test_the_audit_is_drawn_once_for_a_job() -> None:
    policy = Policy(audit_rate=0.5)
    routes = {decide(ROW, job(), SURE, policy).to for _ in range(20)}
    assert len(routes) == 1


def test_the_audit_picks_its_share_and_says_so() -> None:
    policy = Policy(audit_rate=0.2)
    routes = [decide(uuid7(), job(), SURE, policy) for _ in range(3000)]
    picked = [route for route in routes if route.to == "review"]
    # Five standard deviations of a binomial with n = 3000 and p = 0.2.
    assert abs(len(picked) - 600) < 5 * (3000 * 0.2 * 0.8) ** 0.5
    assert {reason.code for route in picked for reason in route.reasons} == {"audit"}
    assert {route.audit for route in routes} == {0.2}


@pytest.mark.parametrize(
    ("rate", "to"),
    [pytest.param(0.0, "accepted", id="none"), pytest.param(1.0, "review", id="all")],
)
def test_the_ends_of_the_audit(rate: float, to: str) -> None:
    assert {decide(uuid7(), job(), SURE, Policy(audit_rate=rate)).to for _ in range(50)} == {to}


def test_a_job_with_reasons_is_no_part_of_the_audit_sample() -> None:
    route = decide(ROW, job(), replace(SURE, matte=matte(0.2)), Policy(audit_rate=1.0))
    assert [reason.code for reason in route.reasons] == ["matte_unsure"]
    assert route.audit is None
