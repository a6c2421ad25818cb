"""How right the models are on pictures whose truth is known.

    python tests/benchmarks/accuracy.py [FOLDER ...] [--device D] [--json FILE]

Without a folder it takes the sample photos that ship with Packshot; any folder with a `truth.json`
of the same form will do (see `workers.samples`). It prints a table per picture, the totals, and
writes both as JSON where asked. It needs the weights: `packshot models pull`.
"""

import argparse
import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from models.bundle import Models, load
from models.matting.u2net import U2Net
from models.registry import Registry
from models.runtimes import DEVICES
from packshot.contract import Step
from packshot.imaging.decode import Limits, decode
from packshot.results import Finding, Recognition, TextLine, TextResult
from tests.benchmarks.matte_quality import Errors, compare, unit
from workers import samples
from workers.samples import Line, Sample

Pixels = NDArray[np.uint8]

#: Two lines are about the same print when they share this part of the smaller one's area.
_SHARED = 0.4


@dataclass(frozen=True, slots=True)
class Reading:
    """Text: `exact`, `missed` and `lines` count legible lines, `invented` lines that are not there.

    `edits` of `characters` is the character error rate.
    """

    lines: int
    exact: int
    missed: int
    invented: int
    edits: int
    characters: int
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One picture. Hits are None where there is nothing to hit."""

    file: str
    text: Reading
    top1: bool | None
    top5: bool | None
    guess: str
    brand: bool | None
    model: bool | None
    alpha: Errors
    plain: Errors


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where the models run")
    arguments = parser.parse_args()
    registry = Registry()
    models = load(registry, [Step.OCR, Step.RECOGNITION, Step.MATTING], device=arguments.device)
    net = U2Net(registry.session("u2netp", device=arguments.device))
    wanted = [s for folder in arguments.folders for s in samples.read(folder)]
    verdicts = [judge(sample, models, net) for sample in wanted or samples.truth()]
    figures = total(verdicts)
    report = {"total": figures, "pictures": [asdict(verdict) for verdict in verdicts]}
    sys.stdout.write(table(verdicts) + "\n\n" + summary(figures) + "\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0


def judge(sample: Sample, models: Models, net: U2Net) -> Verdict:
    """Run all models over one picture and compare with its truth."""
    if models.reader is None or models.recogniser is None or models.matter is None:
        raise ValueError("The accuracy report needs the models of all three steps.")
    rgb = decode(sample.path.read_bytes(), Limits()).rgb
    truth = grey(sample.alpha_path)
    text = models.reader.read(rgb)
    seen = models.recogniser.recognise(rgb, text)
    size = (rgb.shape[1], rgb.shape[0])
    plain = cv2.resize(net.look(rgb).mask, size, interpolation=cv2.INTER_LINEAR)
    first, five = category(sample, seen)
    return Verdict(
        file=sample.file,
        text=read_right(sample.lines, text),
        top1=first,
        top5=five,
        guess=f"{seen.categories[0].en} {seen.categories[0].probability:.2f}",
        brand=_hit(seen.brand, sample.brand),
        model=_hit(seen.model, (sample.model,) if sample.model else ()),
        alpha=compare(unit(models.matter.matte(rgb).alpha), truth),
        plain=compare(np.clip(plain, 0, 1), truth),
    )


def category(sample: Sample, seen: Recognition) -> tuple[bool | None, bool | None]:
    """Whether the first guess, and any of the first five, is one that counts."""
    if not sample.top5:
        return None, None
    guesses = [guess.id for guess in seen.categories[:5]]
    return guesses[0] in sample.top1, bool(set(guesses) & set(sample.top5))


def read_right(truth: Sequence[Line], result: TextResult) -> Reading:
    """Compare what was read with what is printed.

    Lines are matched by where they are. A reader may join neighbours or split a line, so groups of
    overlapping lines are compared as a whole, left to right (or top to bottom), without spaces and
    after NFKC. What lies on print that nobody can be held to read is left out.
    """
    legible = [line for line in truth if line.legible]
    small = [line for line in truth if not line.legible]
    read = [line for line in result.lines if not any(_same(line, other) for other in small)]
    exact = missed = edits = 0
    wrong = []
    matched: set[int] = set()
    for printed, found in _groups(legible, read):
        matched |= set(found)
        expected = "".join(_plain(legible[i].text) for i in _ordered(printed, legible))
        got = "".join(_plain(read[i].text) for i in _ordered(found, read))
        edits += Levenshtein.distance(expected, got)
        right = sum(_plain(legible[i].text) in got for i in printed)
        exact += len(printed) if expected == got else right
        missed += 0 if found else len(printed)
        if expected != got:
            wrong.append(f"{expected} -> {got or '(missed)'}")
    return Reading(
        lines=len(legible),
        exact=exact,
        missed=missed,
        invented=len(read) - len(matched),
        edits=edits,
        characters=sum(len(_plain(line.text)) for line in legible),
        wrong=tuple(wrong),
    )


def _groups(
    printed: Sequence[Line], read: Sequence[TextLine]
) -> Iterable[tuple[list[int], list[int]]]:
    """Connected groups of printed and read lines that overlap; every printed line is in one."""
    links = [{j for j, line in enumerate(read) if _same(line, truth)} for truth in printed]
    open_ = set(range(len(printed)))
    while open_:
        group, found = {open_.pop()}, set[int]()
        while True:
            found |= {j for i in group for j in links[i]}
            joined = {i for i in open_ if links[i] & found}
            if not joined:
                break
            group |= joined
            open_ -= joined
        yield sorted(group), sorted(found)


def _same(read: TextLine, printed: Line) -> bool:
    a, b = (cv2.convexHull(np.array(p, np.float32)) for p in (read.polygon, printed.polygon))
    smaller = max(min(cv2.contourArea(a), cv2.contourArea(b)), 1.0)
    return bool(cv2.intersectConvexConvex(a, b)[0] / smaller > _SHARED)


def _ordered(chosen: Sequence[int], lines: Sequence[Line] | Sequence[TextLine]) -> list[int]:
    middles = {i: np.mean(np.array(lines[i].polygon), axis=0) for i in chosen}
    axis = 1 if any(lines[i].vertical for i in chosen) else 0
    return sorted(chosen, key=lambda i: float(middles[i][axis]))


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _hit(found: Finding | None, accepted: Sequence[str]) -> bool | None:
    """None where there is nothing to find and nothing was found; an invention is a miss."""
    if not accepted:
        return None if found is None else False
    return found is not None and found.value.casefold() in {a.casefold() for a in accepted}


def grey(path: Path) -> NDArray[np.float32]:
    """Read a matte, float32 HxW, 0 to 1."""
    encoded = np.frombuffer(path.read_bytes(), np.uint8)
    picture = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise ValueError(f"{path} is not a picture.")
    return np.asarray(picture / 255, np.float32)


def total(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The figures over all pictures; shares in per cent."""
    lines = sum(v.text.lines for v in verdicts)
    characters = sum(v.text.characters for v in verdicts)
    errors = {
        f"{kind}_{field.name}": round(
            float(np.mean([getattr(getattr(v, kind), field.name) for v in verdicts])), 4
        )
        for kind in ("alpha", "plain")
        for field in fields(Errors)
    }
    return {
        "pictures": len(verdicts),
        "lines": lines,
        "exact_lines_percent": round(100 * sum(v.text.exact for v in verdicts) / max(lines, 1), 1),
        "cer_percent": round(100 * sum(v.text.edits for v in verdicts) / max(characters, 1), 2),
        "missed_lines": sum(v.text.missed for v in verdicts),
        "invented_lines": sum(v.text.invented for v in verdicts),
        **{name: _score([getattr(v, name) for v in verdicts]) for name in _HITS},
        **errors,
    }


_HITS = ("top1", "top5", "brand", "model")


def _score(hits: Sequence[bool | None]) -> str:
    counted = [hit for hit in hits if hit is not None]
    return f"{sum(counted)}/{len(counted)}"


def table(verdicts: Sequence[Verdict]) -> str:
    """One row per picture, then what was misread."""
    head = (
        "picture              lines exact miss inv  t1 t5 br mo    sad   mse  band "
        "(plain sad  mse  band)  first guess"
    )
    marks = {True: "+", False: "-", None: "."}
    rows = [
        f"{v.file:20s} {v.text.lines:5d} {v.text.exact:5d} {v.text.missed:4d} "
        f"{v.text.invented:3d}  "
        f"{marks[v.top1]:>2s} {marks[v.top5]:>2s} {marks[v.brand]:>2s} {marks[v.model]:>2s} "
        f"{v.alpha.sad:6.2f} {v.alpha.mse:5.2f} {v.alpha.band:5.3f} "
        f"({v.plain.sad:9.2f} {v.plain.mse:5.2f} {v.plain.band:5.3f})  {v.guess}"
        for v in verdicts
    ]
    wrong = [f"  {v.file}: {line}" for v in verdicts for line in v.text.wrong]
    return "\n".join([head, *rows, *(["", "misread:", *wrong] if wrong else [])])


def summary(figures: dict[str, Any]) -> str:
    """The totals, one a line."""
    return "\n".join(f"{name:22s} {value}" for name, value in figures.items())


if __name__ == "__main__":
    sys.exit(main())
