"""Draw the sample photos: `python -m tools.samples.draw [NAME ...] [--scale S] [--out FOLDER]`."""

import argparse
import json
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tools.samples.camera import develop, encoded, grey_png, phone_exif
from tools.samples.catalogue import SHOTS, Shot
from tools.samples.labels import missing_fonts
from tools.samples.render import render
from tools.samples.solids import Array
from tools.samples.truth import lines

SHIPPED = Path(__file__).parents[2] / "workers" / "samples"
_SUFFIX = {"jpeg": ".jpg", "webp": ".webp", "png": ".png"}
#: Quarter turns anticlockwise that bring an upright picture into its stored form.
_STORED_TURNS = {1: 0, 3: 2, 6: 1, 8: 3}


def draw(shot: Shot, scale: float = 1.0) -> tuple[Array, Array, list[dict[str, Any]]]:
    """One shot: sRGB (H, W, 3) and alpha (H, W) in 0..1, upright, and its lines of text."""
    random = np.random.default_rng(zlib.crc32(shot.name.encode()))
    scene = shot.scene(random, scale)
    picture, alpha = develop(render(scene, random), shot.sensor, random)
    return picture, alpha, lines(scene)


def save(shot: Shot, folder: Path, scale: float = 1.0) -> dict[str, Any]:
    """Draw one shot into the folder and return its entry of the truth file."""
    picture, alpha, text = draw(shot, scale)
    stored = np.ascontiguousarray(np.rot90(picture, _STORED_TURNS[shot.orientation]))
    file, matte = shot.name + _SUFFIX[shot.kind], f"{shot.name}_alpha.png"
    exif = phone_exif(shot.orientation, gps=shot.gps) if shot.kind == "jpeg" else None
    (folder / file).write_bytes(encoded(stored, shot.kind, shot.quality, exif))
    (folder / matte).write_bytes(grey_png(alpha))
    return {
        "file": file, "sku": shot.sku, "width": alpha.shape[1], "height": alpha.shape[0],
        "lines": text, "brand": shot.brand, "model": shot.model,
        "top1": shot.top1, "top5": sorted({*shot.top1, *shot.top5}), "alpha": matte,
        "route": shot.route, "reasons": shot.reasons, "notes": shot.notes, "licence": "CC0-1.0",
    }  # fmt: skip


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="shots to draw (default: all)")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of the final size, for a quick look"
    )
    parser.add_argument("--out", type=Path, default=SHIPPED)
    arguments = parser.parse_args()
    if gone := missing_fonts():
        print(
            "install fonts-noto-cjk and fonts-dejavu; missing:", *gone, sep="\n  ", file=sys.stderr
        )
        return 2
    cv2.setNumThreads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    entries = _known(arguments.out / "truth.json")
    for shot in SHOTS:
        if not arguments.names or shot.name in arguments.names:
            start = time.perf_counter()
            entries[shot.name] = save(shot, arguments.out, arguments.scale)
            print(f"{shot.name}: {time.perf_counter() - start:.0f} s")
    ordered = [entries[shot.name] for shot in SHOTS if shot.name in entries]
    _write(arguments.out / "truth.json", ordered)
    return 0


def _known(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    return {
        Path(entry["file"]).stem: entry for entry in json.loads(path.read_text(encoding="utf-8"))
    }


def _write(path: Path, entries: list[dict[str, Any]]) -> None:
    """One line of the file per line of text: readable, and small differences stay small."""
    text = json.dumps(entries, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
