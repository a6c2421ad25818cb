"""Text taken apart for comparing: words with their spelling in the picture and as a key."""

import re
import unicodedata
from dataclasses import dataclass

#: A Latin word or number ("H&M", "7up"), or a run of Chinese characters.
_WORD = re.compile(r"[a-z0-9]+(?:&[a-z0-9]+)*|[\u3400-\u9fff\uf900-\ufaff]+")

#: Apostrophes and dots inside a word are often lost in reading: "Lay's" and "LAYS" are one.
_DROPPED = re.compile("[\u0027\u2018\u2019\u02bc\u0060\u00b4]")

#: Signs of a registered or trade mark, and of copyright.
_SIGNS = re.compile("[®™©℠]")

#: Greek and Cyrillic letters that logos use for Latin ones ("AMBPOΣIAL").
_LOOKALIKES = str.maketrans("αβεηικμνορτυχσςабвеікмнорстух", "abehikmnoptyxssabbeikmhopctyx")

#: Characters that readers of print confuse, folded to one of each group.
_CONFUSED = str.maketrans("01|i58", "olllsb")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: `key` is its normalised form, `start` and `end` its place in the clean text."""

    key: str
    start: int
    end: int
    chinese: bool


def clean(text: str) -> str:
    """Bring text to one form: NFKC, lower case, no accents, no apostrophes, Latin letters."""
    # NFKC would turn the trade mark sign into the letters "TM".
    bare_text = _SIGNS.sub(" ", text)
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", bare_text).casefold())
    bare = "".join(char for char in folded if not unicodedata.combining(char))
    return _DROPPED.sub("", bare).translate(_LOOKALIKES)


def words(cleaned: str) -> tuple[Word, ...]:
    """Split what `clean` answered into words."""
    return tuple(
        Word(match.group(), match.start(), match.end(), match.group() >= "\u3400")
        for match in _WORD.finditer(cleaned)
    )


def joined(text: str) -> str:
    """The key of a name: its words without anything between them."""
    return "".join(word.key for word in words(clean(text)))


def confusable(key: str) -> str:
    """The key with easily confused characters folded: 0 and o; 1, l, i and |; 5 and s; 8 and b."""
    return key.translate(_CONFUSED)
