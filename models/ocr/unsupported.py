"""Signs that a picture shows text in a script that the model cannot read.

PP-OCRv6 small knows han, kana and Latin letters, and Greek ones without accents. It knows no
Cyrillic, Hangul, Arabic, Hebrew, Thai, Devanagari or Armenian letter, and two of the 90 letters
that only Vietnamese uses. It never says so: it answers a score on what is left. What is left:

- Cyrillic, and most Hangul and Arabic: nothing, or the blanks between the words, at scores up to
  0.98. The line was found for certain and is long, but has no letters: `MUTE`.
- Greek: the letters without accents, capitals partly as Latin ones, at 0.75 to 0.97: `GREEK`.
- Vietnamese: the letters that other languages have, at 0.8 to 1.0, the rest dropped or replaced by
  signs: `VIETNAMESE`, told by letters that survive (o and u with horn; d with stroke or a with
  breve beside words that have lost their vowels).
- Some Hangul, Hebrew, Armenian, Arabic: look-alikes at 0.5 to 0.85: `WEAK`. Illegible print gives
  the same, so it needs company.

Measured on rendered labels (four lines each; clean, rotated, in perspective, blurred), with words
that played no part in finding the rules. Pictures that raise the signal: Russian 7 of 8, Ukrainian
8 of 8, Greek 16 of 16, Korean 7 of 8, Arabic 8 of 8, Hebrew 8 of 8, Vietnamese 7 of 16. False
alarms: 0 of 80 in Chinese, Japanese, English, French, German, Spanish, Romanian and Croatian; 0 of
26 product photos and 1 of 32 nearly illegible pictures of the set that the rules were made with.

What it cannot tell: more than half of the Vietnamese, where no letter of its own survives; a few
foreign lines among many that are read (Hangul on a third of a sign); look-alikes above 0.85. Thai
was not rendered; its look-alikes are known to score 0.6 to 0.83, so it should count as weak.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from models.ocr.ctc import Reading
from packshot.results import Signal

#: Below this certainty of the detector a box may hold no text at all and says nothing about it.
CERTAIN = 0.6
#: A line is mute with fewer visible characters than this per crop height of width; one han
#: character takes 0.8 to 1, and a Latin one 0.3 to 0.7 heights.
MUTE_DENSITY = 0.5
#: Shorter crops (width over height) may hold a single character that was not recognised.
MUTE_ASPECT = 1.4
#: Lines in supported scripts score above this unless they are hardly legible.
WEAK_SCORE = 0.85
#: Share of the lines that must be suspect; a weak line counts half.
SHARE = 0.4
#: What a line in Greek or Vietnamese can be right at most: none of 90 was.
PROBABILITY_LIMIT = 0.05

_WORD = re.compile(r"(?:[^\W\d_]|[△∧∏])+")
_GREEK = re.compile("[\u0370-\u03ff]")
#: Capital delta, lambda and pi are often answered as the signs that look like them.
_GREEK_LIKE = re.compile("[\u0370-\u03ff△∧∏]")
#: A tonos before a capital is answered as an apostrophe inside the word.
_TONOS = re.compile("[A-Z\u0391-\u03a9]['´][A-Z\u0391-\u03a9]")
_HORN = re.compile("[ơưƠƯ]")
_STROKE_OR_BREVE = re.compile("[đĐăĂ]")
_SIGN_IN_WORD = re.compile(r"[^\W\d_][\[\]{}|·!^~<>][^\W\d_]")
_VOWELS = frozenset("aeiouy")


class Evidence(StrEnum):
    """What one line says about the script of a picture."""

    FINE = "fine"
    MUTE = "mute"
    GREEK = "greek"
    VIETNAMESE = "vietnamese"
    WEAK = "weak"


#: Scripts that a single line proves.
PROOF = frozenset({Evidence.GREEK, Evidence.VIETNAMESE})


def evidence(reading: Reading, *, aspect: float, certainty: float) -> Evidence | None:
    """Judge one line.

    Args:
        reading: what the recogniser made of it.
        aspect: width over height of the upright crop.
        certainty: the detector's score.

    Returns:
        None where the box may hold no text.
    """
    if certainty < CERTAIN:
        return None
    if _is_greek(reading.text):
        return Evidence.GREEK
    if _is_vietnamese(reading.text):
        return Evidence.VIETNAMESE
    visible = len("".join(reading.text.split()))
    if aspect >= MUTE_ASPECT and visible < MUTE_DENSITY * aspect:
        return Evidence.MUTE
    # One weak character is an icon more often than a letter.
    weak = reading.score < WEAK_SCORE and visible > 1
    return Evidence.WEAK if weak or reading.score < WEAK_SCORE / 2 else Evidence.FINE


def unsupported_script(lines: Sequence[Evidence | None]) -> Signal | None:
    """The signal `unsupported_script` where the lines of a picture add up to one.

    Its value is the share of suspect lines.
    """
    counts = Counter(line for line in lines if line is not None)
    if not counts:
        return None
    suspect = counts.total() - counts[Evidence.FINE] - counts[Evidence.WEAK] / 2
    proven = sorted(kind.value for kind in PROOF if counts[kind])
    many = counts[Evidence.MUTE] > 0 or counts[Evidence.WEAK] > 1
    if not proven and not (many and suspect >= SHARE * counts.total()):
        return None
    name = f" ({' and '.join(proven)})" if proven else ""
    return Signal(
        code="unsupported_script",
        message=f"Some text seems to be in a script that cannot be read{name}: "
        "letters may be missing.",
        field="text",
        value=round(suspect / counts.total(), 3),
        threshold=SHARE,
    )


def _is_greek(text: str) -> bool:
    words = [word for word in _WORD.findall(text) if len(word) > 2]
    if not any(_GREEK.search(word) for word in words):
        return False
    # One letter in all is a logo or a unit; two are spelling.
    letters = sum(len(_GREEK_LIKE.findall(word)) for word in words)
    return letters > 1 or _TONOS.search(text) is not None


def _is_vietnamese(text: str) -> bool:
    if _HORN.search(text):
        return True
    hurt = _SIGN_IN_WORD.search(text) is not None or any(map(_lost_its_vowels, _WORD.findall(text)))
    return hurt and _STROKE_OR_BREVE.search(text) is not None


def _lost_its_vowels(word: str) -> bool:
    base = unicodedata.normalize("NFD", word.lower())
    return len(word) > 1 and not _VOWELS.intersection(base)
