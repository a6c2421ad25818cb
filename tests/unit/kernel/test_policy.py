"""The policy's file: what it changes, what it refuses, and that it is read anew."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from packshot.contract import Image, Job, Lane
from packshot.errors import ConfigurationError
from packshot.identity import uuid7
from packshot.policy import PolicyFile, declared, parse
from packshot.results import (
    Category,
    Finding,
    Matte,
    Prepared,
    Quality,
    Recognition,
    Signal,
    TextResult,
)
from packshot.routing import Evidence, Policy, decide

ROW = UUID("01a207d6-b2ce-73bb-8ec3-033f67f4f60a")
QUIET = Policy(audit_rate=0.0)
FULL = """
version = "2026-12"
[thresholds]
text = 0.9
brand = 0.6
[reasons]
several_subjects = false
[audit]
rate = 0.02
[due]
live = "90s"
bulk = "2d"
[producer]
always = ["listing"]
never = []
overrules_never = ["blank"]
[people]
bulk_accept = "lead"
[[special]]
source = "live-shop"
thresholds = { text = 0.95 }
[[special]]
source = "live-shop"
category = 504
audit_rate = 0.5
reasons = { several_subjects = true, blurred = false }
"""


def found(
    *codes: str, text: float = 0.92, brand: float | None = None, category: int = 1
) -> Evidence:
    """What the steps found; the codes are signals of the matte."""
    quality = Quality(sharpness=1, exposure=0.5, clipped_dark=0, clipped_light=0, megapixels=1)
    prepared = Prepared(
        sha256="0", phash="0", original_key="o", work_key="w", filename="a.jpg", format="jpeg",
        bytes=1, width=1, height=1, quality=quality,
    )  # fmt: skip
    recognition = Recognition(
        categories=(Category(id=category, en="a", zh="a", probability=0.9, product=True),),
        embedding="", colours=(), model=None, confidence=0.9,
        brand=None if brand is None else Finding(value="x", confidence=brand, rule="r"),
    )  # fmt: skip
    matte = Matte(
        alpha_key="a", cutout_key="c", coverage=0.5, uncertain=0, box=None, subjects=1,
        touches=(), confidence=0.95, signals=tuple(Signal(code=c, message=c) for c in codes),
    )  # fmt: skip
    return Evidence(prepared, TextResult(lines=(), confidence=text), recognition, matte)


def job(**changes: Any) -> Job:
    wish = {"source": "tests", **changes}
    return Job(version=1, job_id="1", image=Image(uri="s3://a/b"), **wish)


def test_a_file_changes_what_it_names_and_leaves_the_rest() -> None:
    policy = parse(FULL)
    assert policy.version.startswith("2026-12+")
    assert policy.thresholds == {"text": 0.9, "category": 0.5, "matte": 0.85, "brand": 0.6}
    assert policy.due == {Lane.LIVE: timedelta(seconds=90), Lane.BULK: timedelta(days=2)}
    assert (policy.audit_rate, policy.bulk_accept) == (0.02, "lead")
    assert parse('version = "1"', QUIET) == replace(QUIET, version=parse('version = "1"').version)


def test_the_version_tells_apart_what_was_declared_the_same() -> None:
    one, other = parse('version = "1"\n[audit]\nrate = 0.1'), parse('version = "1"')
    assert one.version != other.version
    assert one.version == parse('version = "1"\n[audit]\nrate = 0.1').version
    assert declared(QUIET).version != declared(Policy()).version


@pytest.mark.parametrize(
    ("wish", "evidence", "codes"),
    [
        pytest.param({}, found(), [], id="above the threshold"),
        pytest.param({}, found(text=0.89), ["text_unsure"], id="below the file's threshold"),
        pytest.param({}, found(brand=0.5), ["brand_unsure"], id="brand has a threshold now"),
        pytest.param({}, found(brand=0.7), [], id="a sure brand"),
        pytest.param({"source": "live-shop"}, found(), ["text_unsure"], id="special source"),
        pytest.param({}, found("several_subjects"), [], id="reason switched off"),
        pytest.param({}, found("blurred"), ["blurred"], id="reason left on"),
        pytest.param(
            {"source": "live-shop"},
            found("several_subjects", "blurred", text=0.99, category=504),
            ["several_subjects"],
            id="source and category switch reasons over",
        ),
        pytest.param(
            {"source": "live-shop"},
            found("several_subjects", text=0.99, category=7),
            [],
            id="another category of the source",
        ),
        pytest.param({"review": "always"}, found(), [], id="always does not count from here"),
        pytest.param(
            {"review": "always", "source": "listing"}, found(), ["requested"], id="always"
        ),
        pytest.param(
            {"review": "never"}, found(text=0.1), ["text_unsure"], id="never does not count"
        ),
    ],
)
def test_routing_by_a_file(wish: dict[str, Any], evidence: Evidence, codes: list[str]) -> None:
    policy = replace(parse(FULL), audit_rate=0.0)
    policy = replace(policy, specials=tuple(replace(s, audit_rate=0) for s in policy.specials))
    route = decide(ROW, job(**wish), evidence, policy)
    assert [reason.code for reason in route.reasons] == codes
    assert (route.to, route.policy) == ("review" if codes else "accepted", policy.version)


@pytest.mark.parametrize(
    ("codes", "to"),
    [
        pytest.param(("blurred",), "accepted", id="a reason"),
        pytest.param(("blurred", "blank"), "review", id="a reason that overrules"),
    ],
)
def test_what_overrules_a_never(codes: tuple[str, ...], to: str) -> None:
    policy = parse('version = "1"\n[producer]\noverrules_never = ["blank"]')
    route = decide(ROW, job(review="never"), found(*codes), policy)
    assert (route.to, route.audit) == (to, None)
    assert [reason.code for reason in route.reasons] == list(codes)


def test_the_sampling_chance_is_the_one_of_the_job() -> None:
    policy = parse(FULL)
    routes = {
        (source, decide(uuid7(), job(source=source), found(text=0.99, category=504), policy).audit)
        for source in ("tests", "live-shop")
    }
    assert routes == {("tests", 0.02), ("live-shop", 0.5)}


@pytest.mark.parametrize(
    ("lane", "due"),
    [
        pytest.param(Lane.LIVE, timedelta(seconds=90), id="live"),
        pytest.param(Lane.BULK, timedelta(days=2), id="bulk"),
    ],
)
def test_a_person_has_the_time_of_the_lane(lane: Lane, due: timedelta) -> None:
    assert decide(ROW, job(lane=lane), found(), parse(FULL)).due_in == due


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("version = ", "is not TOML", id="no TOML"),
        pytest.param("", "version: Field required", id="no version"),
        pytest.param('version = "a b"', "version: ", id="version with a space"),
        pytest.param('version = "1"\nthreshold = 1', "threshold: Extra inputs", id="unknown key"),
        pytest.param(
            'version = "1"\n[thresholds]\ntexts = 0.5', "no such field; there are text", id="field"
        ),
        pytest.param(
            'version = "1"\n[thresholds]\ntext = 1.5', "thresholds.text: ", id="threshold too large"
        ),
        pytest.param(
            'version = "1"\n[reasons]\nblured = true',
            "no such reason; there are blank",
            id="reason",
        ),
        pytest.param('version = "1"\n[audit]\nrate = 2', "audit.rate: ", id="rate"),
        pytest.param('version = "1"\n[due]\nlive = "soon"', "due.live: write a time as", id="time"),
        pytest.param('version = "1"\n[due]\nslow = "1h"', "due.slow", id="lane"),
        pytest.param('version = "1"\n[people]\nbulk_accept = "me"', "people.bulk", id="role"),
        pytest.param(
            'version = "1"\n[[special]]\naudit_rate = 1', "special.0: name a source", id="special"
        ),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(text: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence.replace(".", r"\.")):
        parse(text)


def change(path: Path, text: str) -> None:
    """Write, and move the file's time on: two writes may fall into one tick of its clock."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 10**9, before + 10**9))


def test_a_changed_file_holds_from_the_next_job_on(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    change(path, 'version = "1"')
    file = PolicyFile(path, QUIET)
    assert file.current() is file.current()
    assert file.current().version.startswith("1+")
    change(path, 'version = "2"\n[audit]\nrate = 0.5')
    assert (file.current().version[:2], file.current().audit_rate) == ("2+", 0.5)


def test_a_file_that_became_wrong_changes_nothing_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "policy.toml"
    change(path, 'version = "1"')
    file = PolicyFile(path, QUIET)
    change(path, 'version = "2"\naudits = 1')
    for _ in range(3):
        assert file.current().version.startswith("1+")
    assert caplog.text.count("goes on") == 1
    path.unlink()
    assert file.current().version.startswith("1+")
    change(path, 'version = "3"')
    assert file.current().version.startswith("3+")


def test_nothing_starts_with_a_wrong_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        PolicyFile(tmp_path / "none.toml", QUIET)
