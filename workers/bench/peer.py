"""What a user would write today: RapidOCR(), rembg with u2netp, and the same classifier, in a loop.

    python peer.py FOLDER CLASSIFIER WARM

Runs in an environment of its own that has `rapidocr` and `rembg[cpu]` and nothing of Packshot; so
it imports nothing of it. Same protocol as the other measured programs.
"""

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any


def main() -> int:
    """One process of the peer."""
    rapidocr, rembg = import_module("rapidocr"), import_module("rembg")
    image, runtime = import_module("PIL.Image"), import_module("onnxruntime")
    read = rapidocr.RapidOCR(params={"Global.log_level": "error"})
    session = rembg.new_session("u2netp")
    classifier = runtime.InferenceSession(sys.argv[2], providers=["CPUExecutionProvider"])
    files, warm = sorted(Path(sys.argv[1]).iterdir()), int(sys.argv[3])

    def process(path: Path) -> None:
        read(str(path))
        picture = image.open(path).convert("RGB")
        classifier.run(None, {"image": tensor(picture)})
        rembg.remove(picture, session=session).save("/dev/null", format="png")

    for path in files[:warm]:
        process(path)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    started, cpu = time.monotonic(), time.process_time()
    for path in files[warm:]:
        process(path)
    took = {"seconds": time.monotonic() - started, "cpu": time.process_time() - cpu}
    sys.stdout.write(json.dumps(took | {"jobs": len(files) - warm}) + "\n")
    return 0


def tensor(picture: Any) -> Any:
    """What the classifier wants: float32 1x3x224x224 of the picture's middle."""
    numpy = import_module("numpy")
    width, height = picture.size
    side = min(width, height) * 0.875
    left, top = (width - side) / 2, (height - side) / 2
    small = picture.resize((224, 224), 3, box=(left, top, left + side, top + side))
    pixels = (numpy.asarray(small, numpy.float32) - 127) / 128
    return numpy.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


if __name__ == "__main__":
    sys.exit(main())
