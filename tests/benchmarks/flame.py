"""Where the time of a photo goes, as flame graphs of the bare loop on one scale.

    python -m tests.benchmarks.flame [OUT.svg] [--side 1000] [--device cpu --device auto]

A second thread looks at the loop's stack every few milliseconds. What runs in C shows as the
function of ours that called it.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from types import FrameType

from models.bundle import load
from models.registry import Registry
from models.runtimes import DEVICES
from packshot.contract import Step
from workers.bench.bare import process
from workers.bench.photos import write
from workers.simulate.plot import COLOURS, WIDTH, framed

ROOT = Path(__file__).resolve().parents[2]
#: Seconds between two looks; shares of a hundredth need some thousand of them.
EVERY = 0.002
LEFT, RIGHT, TOP, ROW, GAP = 10, 10, 40, 17, 34
#: Narrower boxes are left out, and a letter of their text takes this (pixels).
THINNEST, LETTER = 0.8, 6.3

Stack = tuple[str, ...]


@dataclass
class Node:
    """One function as called from where it is: its samples, and whom it called."""

    samples: int = 0
    callees: dict[str, "Node"] = field(default_factory=dict)

    def depth(self) -> int:
        """Rows of the drawing."""
        return 1 + max((one.depth() for one in self.callees.values()), default=0)


def main() -> int:
    """Sample the loop on each device and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=Path("flame.svg"))
    parser.add_argument("--side", type=int, default=1000, help="longer side of the photos, pixels")
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--device", action="append", choices=DEVICES, help="may be repeated")
    given = parser.parse_args()
    graphs = []
    with tempfile.TemporaryDirectory() as folder:
        files = write(Path(folder), given.side, given.photos)
        for device in given.device or ["cpu", "auto"]:
            tree, seconds, runtimes = sample(files, device)
            title = f"{', '.join(runtimes)}: {seconds * 1000:,.0f} ms a photo of {given.side} px"
            graphs.append((title, tree, seconds))
            print(title)
    given.out.write_text(draw(graphs), "utf-8")
    return 0


def sample(files: list[Path], device: str) -> tuple[Node, float, list[str]]:
    """Run the loop over `files`; what was seen, the seconds of a photo, and the runtimes."""
    steps = (Step.OCR, Step.RECOGNITION, Step.MATTING)
    models = load(Registry(), steps, device=device)
    for path in files[:2]:
        process(path.read_bytes(), models)
    started = time.monotonic()
    with watched() as stacks:
        for path in files:
            process(path.read_bytes(), models)
    seconds = (time.monotonic() - started) / len(files)
    tree = Node()
    for stack, count in stacks.items():
        node = tree
        node.samples += count
        for name in stack:
            node = node.callees.setdefault(name, Node())
            node.samples += count
    runtimes = sorted({one.runtime for step in steps for one in models.info(step)})
    return tree, seconds, runtimes


@contextmanager
def watched() -> Iterator[Counter[Stack]]:
    """Count the stacks of the calling thread, below its caller, while inside."""
    stacks: Counter[Stack] = Counter()
    thread, done = threading.get_ident(), threading.Event()

    def watch() -> None:
        while not done.wait(EVERY):
            if stack := _stack(sys._current_frames()[thread]):
                stacks[stack] += 1

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield stacks
    finally:
        done.set()
        watcher.join()


def _stack(frame: FrameType | None) -> Stack:
    """The functions of ours from `process` on, outermost first."""
    names: list[str] = []
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if frame.f_code is process.__code__:
            return tuple(reversed(names))
        if path.is_relative_to(ROOT) and "site-packages" not in path.parts:
            names.append(f"{path.parent.name}/{path.stem}.{frame.f_code.co_name}")
        frame = frame.f_back
    return ()


def draw(graphs: list[tuple[str, Node, float]]) -> str:
    """The graphs one below the other, a millisecond as wide in each."""
    longest = max(seconds for _, _, seconds in graphs)
    parts: list[str] = []
    top = TOP
    for title, tree, seconds in graphs:
        parts.append(f'<text x="{LEFT}" y="{top + 12}" font-weight="bold">{escape(title)}</text>')
        width = (WIDTH - LEFT - RIGHT) * seconds / longest
        parts.extend(_boxes(tree, LEFT, top + 18, width / max(tree.samples, 1)))
        top += 18 + ROW * (tree.depth() - 1) + GAP
    return framed("Where the time of a photo goes", top, parts)


def _boxes(node: Node, left: float, top: float, scale: float) -> Iterator[str]:
    for name, one in sorted(node.callees.items()):
        width = one.samples * scale
        if width >= THINNEST:
            colour = COLOURS[sum(name.split(".")[0].encode()) % len(COLOURS)]
            yield (
                f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW - 1}" '
                f'fill="{colour}" opacity="0.35"><title>{escape(name)}</title></rect>'
            )
            label = name.split("/")[-1]
            if len(label) * LETTER < width:
                where = f'x="{left + 3:.1f}" y="{top + 12}" font-size="11"'
                yield f"<text {where}>{escape(label)}</text>"
            yield from _boxes(one, left, top + ROW, scale)
        left += width


if __name__ == "__main__":
    sys.exit(main())
