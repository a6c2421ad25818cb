"""What RapidOCR and rembg answer to some photos: their lines as JSON, their mattes as PNG files.

    python peer_answers.py FOLDER PHOTO ...

Runs in the peer's environment and imports nothing of Packshot.
"""

import json
import sys
from importlib import import_module
from pathlib import Path


def main() -> int:
    """Answer each photo."""
    rapidocr, rembg = import_module("rapidocr"), import_module("rembg")
    image = import_module("PIL.Image")
    read = rapidocr.RapidOCR(params={"Global.log_level": "error"})
    session = rembg.new_session("u2netp")
    folder, lines = Path(sys.argv[1]), {}
    for path in map(Path, sys.argv[2:]):
        found = read(str(path))
        texts = found.txts if found.txts is not None else ()
        boxes = found.boxes if found.boxes is not None else ()
        lines[path.name] = [
            {"text": text, "polygon": [[float(x), float(y)] for x, y in box]}
            for text, box in zip(texts, boxes, strict=True)
        ]
        picture = image.open(path).convert("RGB")
        rembg.remove(picture, session=session, only_mask=True).save(folder / f"{path.stem}.png")
    (folder / "lines.json").write_text(json.dumps(lines), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
