"""Words to search by: how texts are cut, once when they are kept and once when they are asked for.

Both databases then only compare beginnings of words, so that they find the same. Chinese, Japanese
and Korean have no spaces: of them every pair of neighbouring characters is a word, and the last one
alone.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

#: Words kept of one job: the start of a leaflet is enough to find it by.
MOST_WORDS = 400
#: Longest word, characters; Postgres takes 2046 bytes.
MOST_CHARS = 64

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_RUNS = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")


def words_of(texts: Iterable[str]) -> str:
    """What is kept of `texts`: different words, separated by single spaces."""
    found: dict[str, None] = {}
    for text in texts:
        for run in _runs(text):
            found.update(dict.fromkeys(_pairs(run, last=True) if _IS_CJK.match(run) else (run,)))
            if len(found) >= MOST_WORDS:
                return " ".join(list(found)[:MOST_WORDS])
    return " ".join(found)


def terms_of(query: str) -> tuple[str, ...]:
    """The beginnings of words that all have to be there; empty for a query without any letter."""
    found: dict[str, None] = {}
    for run in _runs(query):
        pairs = _IS_CJK.match(run) and len(run) > 1
        found.update(dict.fromkeys(_pairs(run, last=False) if pairs else (run,)))
    return tuple(found)


def _runs(text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return (run[:MOST_CHARS] for run in _RUNS.findall(folded))


def _pairs(run: str, *, last: bool) -> Iterator[str]:
    yield from (run[at : at + 2] for at in range(len(run) - 1))
    if last:
        yield run[-1]
