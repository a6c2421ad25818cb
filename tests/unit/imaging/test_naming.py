"""Object keys: safe everywhere, unambiguous, and still readable."""

import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from packshot.imaging.naming import MAX_NAME_BYTES, original_key, output_key, safe_name, work_key

AT = datetime(2026, 11, 23, 9, 5, 7, tzinfo=UTC)
SHA = "ab" * 32
TEXT = st.text(max_size=80)
OUTPUT = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True)


def test_the_keys_of_the_design() -> None:
    assert original_key(SHA, "jpeg") == f"originals/ab/{SHA}.jpg"
    assert work_key(SHA, "working.png") == f"work/{SHA}/working.png"
    key = output_key(AT, "ABC123", "front.jpg", "main", "jpg")
    assert key == "outputs/20261123/090507_ABC123/front_main.jpg"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(("A", "front.jpg", "cutout", "png"), "090507_A/front_matte.png", id="cutout"),
        pytest.param(("A", "front.jpg", "matte", "png"), "090507_A/front_matte.1.png", id="matte"),
        pytest.param(("A", "front.jpg", "a-", "png"), "090507_A/front_a-.png", id="contract name"),
        pytest.param(
            ("", "front.jpg", "main", ".jpg"), "090507_no-sku/front_main.jpg", id="no sku"
        ),
        pytest.param(("A", "", "main", "jpg"), "090507_A/photo_main.jpg", id="no name"),
        pytest.param(("A", "../../etc/passwd", "m", "png"), "090507_A/passwd_m.png", id="path"),
        pytest.param(("../x", "f", "m", "png"), "090507_x/f_m.png", id="path in sku"),
        pytest.param(("A", r"C:\DCIM\IMG 1.JPG", "m", "png"), "090507_A/IMG-1_m.png", id="windows"),
        pytest.param(("A", "v1.2 front", "m", "png"), "090507_A/v1.2-front_m.png", id="dots"),
        pytest.param(("A", "a.tar.heic", "m", "png"), "090507_A/a.tar_m.png", id="extension"),
        pytest.param(("A", "con.txt", "m", "png"), "090507_A/_con.txt_m.png", id="reserved"),
        pytest.param(
            ("货号12", "酸奶 正面.jpg", "m", "png"), "090507_货号12/酸奶-正面_m.png", id="cjk"
        ),
        pytest.param(("A", "..", "m", "png"), "090507_A/photo_m.png", id="dots only"),
        pytest.param(("A", "🥛.png", "m", "png"), "090507_A/photo_m.png", id="emoji only"),
        pytest.param(
            ("A\x00\n", "f\u202egpj.exe", "m", "png"), "090507_A/f-gpj.exe_m.png", id="bidi"
        ),
    ],
)
def test_names(arguments: tuple[str, str, str, str], expected: str) -> None:
    assert output_key(AT, *arguments) == f"outputs/20261123/{expected}"


def test_times_are_written_in_utc() -> None:
    shanghai = AT.astimezone(timezone(timedelta(hours=8)))
    assert shanghai.hour == 17
    keys = {output_key(at, "A", "f", "m", "png") for at in (AT, shanghai, AT.replace(tzinfo=None))}
    assert keys == {"outputs/20261123/090507_A/f_m.png"}


def test_composed_and_decomposed_names_meet() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert safe_name(decomposed, fallback="x") == safe_name(composed, fallback="x") == composed


def test_long_chinese_names_are_cut_between_characters() -> None:
    name = safe_name("产品" * 200, fallback="x")
    assert set(name) == {"产", "品"}
    assert MAX_NAME_BYTES - 3 < len(name.encode()) <= MAX_NAME_BYTES


@pytest.mark.parametrize("name", ["CON", "nul", "Com1", "LPT9.txt", "aux.", "COM¹"])
def test_windows_devices(name: str) -> None:
    assert safe_name(name, fallback="x").startswith("_")


@pytest.mark.parametrize("name", ["console", "com10", "auxiliary", "null"])
def test_names_that_only_begin_like_devices(name: str) -> None:
    assert safe_name(name, fallback="x") == name


@pytest.mark.parametrize("sha256", ["", "../x", "AB" * 32, "ab" * 31 + "g"])
def test_only_a_hash_names_an_original(sha256: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        original_key(sha256, "png")
    with pytest.raises(ValueError, match="SHA-256"):
        work_key(sha256, "working.png")


@given(TEXT, TEXT, OUTPUT, TEXT, TEXT)
@example("CON", "nul.jpg", "cutout", "png", "com1")
@example("\ud800", "\udfff/", "m", "/", "..")
def test_any_key_is_safe_everywhere(
    sku: str, filename: str, output: str, extension: str, job: str
) -> None:
    key = output_key(AT, sku, filename, output, extension, job)
    parts = key.split("/")
    assert len(parts) == 4
    assert len(key.encode()) <= 1024
    for part in parts:
        assert part not in {"", ".", ".."}
        assert len(part.encode()) <= 255
        assert not part.startswith(("-", ".")) and not part.endswith((".", " "))
        assert not set(part) & set('<>:"|?*\\%#&$@=;+, {}^`[]~')
        assert all(unicodedata.category(char)[0] in "LMNP" for char in part)
        assert part.split(".")[0].lower() not in {"con", "prn", "aux", "nul", "com1", "lpt1"}


@given(TEXT)
def test_a_safe_name_stays_what_it_is(text: str) -> None:
    name = safe_name(text, fallback="x")
    assert safe_name(name, fallback="x") == name
    assert unicodedata.is_normalized("NFC", name)


@given(TEXT, TEXT, OUTPUT, OUTPUT)
@example("A", "f" * 300, "a", "b_a")
@example("A", "f", "cutout", "matte")
@example("A", "f", "a", "a-")
def test_two_outputs_of_a_job_never_meet(sku: str, filename: str, one: str, two: str) -> None:
    assume(one != two)
    assert output_key(AT, sku, filename, one, "png") != output_key(AT, sku, filename, two, "png")


@given(TEXT, TEXT, st.uuids(), st.uuids())
def test_two_jobs_never_meet(sku: str, filename: str, one: object, two: object) -> None:
    assume(one != two)
    keys = {output_key(AT, sku, filename, "cutout", "png", str(job)[:36]) for job in (one, two)}
    assert len(keys) == 2
