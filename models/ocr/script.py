"""Which writing system a line is in, and whether the model can read it."""

import unicodedata
from bisect import bisect_right
from collections import Counter

#: First code point of each block, and the script its letters belong to ("" is none).
#: Source: Unicode 15 block names. Full-width forms are folded to ASCII before the look-up.
_BLOCKS: tuple[tuple[int, str], ...] = (
    (0x0000, ""),
    (0x0041, "latin"),
    (0x005B, ""),
    (0x0061, "latin"),
    (0x007B, ""),
    (0x00C0, "latin"),
    (0x0250, "latin"),
    (0x02B0, ""),
    (0x0370, "greek"),
    (0x0400, "cyrillic"),
    (0x0530, "armenian"),
    (0x0590, "hebrew"),
    (0x0600, "arabic"),
    (0x0700, ""),
    (0x0900, "devanagari"),
    (0x0980, ""),
    (0x0E00, "thai"),
    (0x0E80, ""),
    (0x1100, "hangul"),
    (0x1200, ""),
    (0x1E00, "latin"),
    (0x1F00, "greek"),
    (0x2000, ""),
    (0x2E80, "han"),
    (0x2FE0, ""),
    (0x3005, "han"),
    (0x3008, ""),
    (0x3041, "kana"),
    (0x3100, ""),
    (0x3130, "hangul"),
    (0x3190, ""),
    (0x31F0, "kana"),
    (0x3200, ""),
    (0x3400, "han"),
    (0x4DC0, ""),
    (0x4E00, "han"),
    (0xA000, ""),
    (0xAC00, "hangul"),
    (0xD7B0, ""),
    (0xF900, "han"),
    (0xFB00, ""),
    (0x20000, "han"),
    (0x323B0, ""),
)
_STARTS = tuple(start for start, _ in _BLOCKS)

#: The script of a line without letters: digits, or nothing but signs.
DIGITS, NONE = "digits", "none"
#: Scripts whose lines may stand upright in columns.
STACKED = frozenset({"han", "japanese", "hangul"})


def letter_script(character: str) -> str:
    """The script of one character; "" for digits, punctuation, signs and spaces."""
    if not unicodedata.category(character).startswith(("L", "M")):
        return ""
    return _BLOCKS[bisect_right(_STARTS, ord(character)) - 1][1]


def script_of(text: str) -> str:
    """The script of a line.

    Returns:
        "han", "japanese" (any kana, with or without han), "latin", "greek", "cyrillic", "hangul"
        and so on; "mixed" where the most frequent script has fewer than four fifths of the
        letters; "digits" without letters; "none" without digits as well. Greek letters beside
        others are how units and formulas are written (µm, Ω, β-carotene): fewer than three do not
        make a line mixed.
    """
    folded = unicodedata.normalize("NFKC", text)
    counts = Counter(script for script in map(letter_script, folded) if script)
    if counts["kana"]:
        counts["japanese"] = counts.pop("kana") + counts.pop("han", 0)
    if len(counts) > 1 and counts["greek"] < 3:
        counts.pop("greek", None)
    counts = +counts
    if not counts:
        return DIGITS if any(character.isdigit() for character in folded) else NONE
    name, most = counts.most_common(1)[0]
    return name if most * 5 >= counts.total() * 4 else "mixed"
