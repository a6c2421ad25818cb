"""The limit: the models and the imaging in a bare loop, without queue, ledger and object store.

    python -m workers.bench.bare FOLDER WARM

Warms up with the first WARM photos, says `ready`, waits for a line on its input, runs the others
once and prints what it took as JSON.
"""

import json
import sys
import time
from pathlib import Path

from models.bundle import Models
from packshot.contract import CUTOUT, MAIN, Output, Step
from packshot.imaging.compose import render
from packshot.imaging.decode import Limits, decode
from packshot.imaging.encode import encode, encode_grey
from packshot.imaging.hashing import phash, sha256
from packshot.imaging.quality import measure
from packshot.settings import Settings
from tasks.stage import LOSSLESS
from workers.services import load_models

#: What is rendered from each photo, as by a listing service.
OUTPUTS: tuple[Output, ...] = (MAIN.model_copy(update={"size": 1000}),)
#: The plain cut-out is what the matting step keeps; it is not rendered again.
PLAIN = CUTOUT


def process(data: bytes, models: Models) -> int:
    """Do everything that the stages do to one photo; returns the bytes that were made."""
    if models.reader is None or models.recogniser is None or models.matter is None:
        raise ValueError("The bare loop needs the models of all three steps.")
    rgb = decode(data, Limits()).rgb
    sha256(data), phash(rgb), measure(rgb)
    text = models.reader.read(rgb)
    models.recogniser.recognise(rgb, text)
    matted = models.matter.matte(rgb)
    made = len(encode_grey(matted.alpha)) + len(encode(matted.cutout, "png", LOSSLESS))
    for output in OUTPUTS:
        picture = render(matted.cutout, output).image
        made += len(encode(picture, output.format, output.quality))
    return made


def main() -> int:
    """One process of the limit."""
    files, warm = sorted(Path(sys.argv[1]).iterdir()), int(sys.argv[2])
    models = load_models(Settings.load(), tuple(Step))
    for path in files[:warm]:
        process(path.read_bytes(), models)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    started, cpu = time.monotonic(), time.process_time()
    for path in files[warm:]:
        process(path.read_bytes(), models)
    took = {"seconds": time.monotonic() - started, "cpu": time.process_time() - cpu}
    sys.stdout.write(json.dumps(took | {"jobs": len(files) - warm}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
