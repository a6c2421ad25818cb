"""Text and matte of Packshot and of RapidOCR + rembg against the same truth.

    python -m tests.benchmarks.accuracy_peer .../bin/python [FOLDER ...]

The Python is that of an environment with `rapidocr` and `rembg[cpu]`. It needs the weights:
`packshot models pull`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.bundle import load
from models.registry import Registry
from models.runtimes import DEVICES
from packshot.contract import Step
from packshot.imaging.decode import Limits, decode
from packshot.results import TextLine, TextResult
from tests.benchmarks.accuracy import Reading, grey, read_right
from tests.benchmarks.matte_quality import Errors, compare, unit
from workers import samples
from workers.bench.plan import peer_weights
from workers.samples import Sample

Answers = list[tuple[Reading, Errors]]


def main() -> int:
    """Ask both and print the totals side by side."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("python", type=Path, help="Python of the peer's environment")
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where ours run")
    given = parser.parse_args()
    wanted = [s for folder in given.folders for s in samples.read(folder)] or samples.truth()
    rows = {
        "packshot": totals(ours(wanted, given.device)),
        "peer": totals(theirs(wanted, given.python)),
    }
    for name in rows["packshot"]:
        print(f"{name:22}" + "".join(f"   {who} {row[name]:8.3f}" for who, row in rows.items()))
    return 0


def ours(wanted: Sequence[Sample], device: str) -> Answers:
    """What Packshot finds."""
    models = load(Registry(), [Step.OCR, Step.MATTING], device=device)
    assert models.reader is not None
    assert models.matter is not None
    answers = []
    for sample in wanted:
        rgb = decode(sample.path.read_bytes(), Limits()).rgb
        reading = read_right(sample.lines, models.reader.read(rgb))
        alpha = unit(models.matter.matte(rgb).alpha)
        answers.append((reading, compare(alpha, grey(sample.alpha_path))))
    return answers


def theirs(wanted: Sequence[Sample], python: Path) -> Answers:
    """What the peer finds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = str(Path(__file__).with_name("peer_answers.py"))
        subprocess.run(
            [str(python), script, name, *(str(sample.path) for sample in wanted)],
            env={**os.environ, **peer_weights(folder, None)},
            check=True,
        )
        lines = json.loads((folder / "lines.json").read_text("utf-8"))
        return [
            (
                read_right(sample.lines, _text(lines[sample.path.name])),
                compare(grey(folder / f"{sample.path.stem}.png"), grey(sample.alpha_path)),
            )
            for sample in wanted
        ]


def _text(lines: Sequence[dict[str, Any]]) -> TextResult:
    # What is scored is the text and its place; RapidOCR has dropped what it was not sure of.
    sure: dict[str, Any] = {"score": 1.0, "probability": 1.0, "script": "unknown"}
    return TextResult(lines=tuple(TextLine(**line, **sure) for line in lines), confidence=None)


def totals(answers: Answers) -> dict[str, float]:
    """The figures over all pictures."""
    readings, errors = [one for one, _ in answers], [one for _, one in answers]
    count, characters = (sum(getattr(r, n) for r in readings) for n in ("lines", "characters"))
    return {
        "lines exact, %": 100 * sum(one.exact for one in readings) / max(1, count),
        "character errors, %": 100 * sum(one.edits for one in readings) / max(1, characters),
        "lines missed": sum(one.missed for one in readings),
        "lines invented": sum(one.invented for one in readings),
        "matte SAD": float(np.mean([one.sad for one in errors])),
        "matte MSE": float(np.mean([one.mse for one in errors])),
        "matte error at edges": float(np.mean([one.band for one in errors])),
    }


if __name__ == "__main__":
    sys.exit(main())
