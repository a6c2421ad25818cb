"""The maker's model number among the numbers on a package, most of which are something else."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packshot.results import Finding, TextLine

#: How far a labelled, a hyphenated and a plain number are believed when the line is read right.
LABELLED, HYPHENATED, PLAIN = 0.96, 0.80, 0.62

#: "Model: XK-2045B", "型号 WH-1000XM4": the label says what the number is.
_LABEL = re.compile(
    r"(?:\bmodel(?:\s*(?:no|number|name|nr)\b)?|\bmod(?=\.)|\bm/n|\bp/n|\bpart\s*(?:no|number)\b"
    r"|\bitem\s*(?:no|number)\b|\bstyle\s*(?:no|number)\b|\bart(?=\.)(?:\.\s*(?:no|nr)\b)?"
    r"|(?:产品|规格)?\s*型\s*[号號](?:规格)?|货\s*[号號]|款\s*[号號])"
    r"(?P<gap>[\s.:：#=]*)(?P<value>[A-Z0-9][A-Z0-9/_.+-]*(?: [A-Z0-9/_+-]*\d[A-Z0-9/_+-]*)?)",
    re.IGNORECASE,
)

#: A word of letters and digits in capitals, perhaps in parts: XK-2045B, A1234, DL-20/B.
_SHAPE = re.compile(r"(?<![\w/.+-])[A-Z0-9]+(?:[-/][A-Z0-9]+)*(?![\w/+-]|\.\d)")

#: What a free-standing model number looks like: letters first, at least two digits.
_MODEL = re.compile(
    r"(?=(?:.*\d){2})(?:[A-Z]{1,6}\d|[A-Z]{1,6}-[A-Z]{0,4}\d)[A-Z0-9]*(?:[-/][A-Z0-9]+)*"
)

#: Lines that hold other numbers altogether: a standard, a licence, a telephone, a batch, a code.
_OTHER_LINE = re.compile(
    r"(?:\b(?:gb|iso|en|astm|iec|din|jis|ansi|ieee|qb|ul)[\s/-]*t?\s*[a-z]?\d|\bq/"
    r"|标准|许可|执行|备案|批准|准字|特字|妆网|证号|条码|条形码|\bean\b|\bupc\b|\bbarcode\b"
    r"|\btel\b|\bfax\b|\bphone\b|电话|热线|传真|邮编|\blot\b|\bbatch\b|批号|\bexp\b|\bmfg\b|\bmfd\b"
    r"|生产日期|保质期|有效期|best before|use by|\bwww\.|https?:|@|\bpatent|专利|\bfcc id\b|\bs/n\b"
    r"|serial|序列号|\bimei\b|地址|\broad\b|\bp\.?o\.? box\b)",
    re.IGNORECASE,
)

#: Letters and digits that name something else than a model.
_OTHER_WORD = re.compile(
    r"(?:"
    r"H2O2|(?:EST|SINCE)\d{4}|SPF\d+|UPF\d+|IPX?\d{1,2}[A-Z]?|PM\d+|PH\d+|CO2|H2O|E\d{3,4}[A-Z]?|B\d{1,2}|D[23]|K[12]|Q10"
    r"|OMEGA-?\d|MP[34]|USB-?\d|HDMI\d|[345]G|[248]K|HD\d+|RAL\d+|AWG\d+|M\d{1,2}|[EB]\d{2}|GU\d+|MR\d+"
    r"|(?:LR|CR|AG|SR)\d{1,4}|A[0-6]|R\d{2}|(?:AC|DC)\d+(?:-\d+)?V?|COVID-?19|N95|KN95|FFP[123]"
    r"|(?:SC|QS)\d{10,}|[A-Z]{2}\d{9}[A-Z]{2}|ISBN\d*|EAN\d*|UHT\d*|TYPE-?C|T\d|NO-?\d+|FIFA\d+"
    r"|(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[-/]?\d.*|(?:EXP|LOT|MFG|BB|BBE)[-/]?\d.*"
    r"|(?:RMB|CNY|USD|EUR|GBP|JPY|HKD)\d+|(?:TOP|VOL|PAGE|STEP|SIZE|SET|PACK)-?\d+|WIFI\d|BT\d|RJ\d+"
    r"|(?:19|20)\d{2}[-/].*"
    r")"
)

#: A quantity: a number and its unit, perhaps times a count. Never a model number, even labelled.
_QUANTITY = re.compile(
    r"\d+(?:[.,/xX*×]\d+)*(?:ML|CL|DL|L|KG|MG|G|LBS?|FL|OZ|KCAL|KJ|CM|MM|M|KM|INCH|IN|FT|W|KW|WH|KWH|V|VAC"
    r"|VDC|A|MA|MAH|AH|HZ|KHZ|MHZ|GHZ|GB|TB|MB|DB|PA|KPA|BAR|PCS?|PK|CT|X|TABS?|CAPS|DAYS?|H|HR|HRS|MIN|S"
    r"|DPI|PX|P|K|D|IU|MCG|RPM|BTU|ST|ND|RD|TH|%)(?:[-/]\d.*)?",
    re.IGNORECASE,
)

#: Dates in figures: 2026-01-02, 02/01/26, 20260102.
_DATE = re.compile(r"(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|[A-Z]?(?:19|20)\d{6}[A-Z]{0,2})")


@dataclass(frozen=True, slots=True)
class _Candidate:
    value: str
    score: float
    rule: str
    line: int


def find_model(lines: Sequence[TextLine]) -> Finding | None:
    """Name the model number, or None where the text has none.

    Args:
        lines: what was read, in reading order.

    Returns:
        The number as printed (NFKC, capitals kept); `rule` is `label`, `hyphenated` or `plain`;
        `confidence` is the rule's belief times the line's probability.
    """
    candidates = [found for index, line in enumerate(lines) for found in _read(index, line)]
    if not candidates:
        return None
    best = max(candidates, key=lambda candidate: (candidate.score, -candidate.line))
    same = tuple(sorted({c.line for c in candidates if c.value == best.value}))
    rivals = {c.value for c in candidates if c.rule == best.rule}
    # Several numbers of one shape: only one of them can be the model.
    score = best.score / len(rivals) if best.rule != "label" else best.score
    return Finding(value=best.value, confidence=round(score, 4), rule=best.rule, lines=same)


def _read(index: int, line: TextLine) -> Iterable[_Candidate]:
    text = unicodedata.normalize("NFKC", line.text)
    labelled = False
    for match in _LABEL.finditer(text):
        value = match.group("value").strip(" -/.")
        # "Model Kit" is no label, "Model 3" and "Model: Pro" are.
        announced = any(mark in match.group("gap") for mark in ":：#.=")
        has_digit = any(char.isdigit() for char in value)
        if value and (announced or has_digit) and not _quantity_or_date(value):
            labelled = True
            yield _Candidate(value, LABELLED * line.probability, "label", index)
    if labelled or _OTHER_LINE.search(text):
        return
    for match in _SHAPE.finditer(text):
        word = match.group()
        if _is_model(word):
            rule, belief = ("hyphenated", HYPHENATED) if "-" in word else ("plain", PLAIN)
            yield _Candidate(word, belief * line.probability, rule, index)


def _is_model(word: str) -> bool:
    return (
        4 <= len(word) <= 20
        and _MODEL.fullmatch(word) is not None
        and _OTHER_WORD.fullmatch(word) is None
        and not _quantity_or_date(word)
    )


def _quantity_or_date(word: str) -> bool:
    return _QUANTITY.fullmatch(word) is not None or _DATE.fullmatch(word) is not None
