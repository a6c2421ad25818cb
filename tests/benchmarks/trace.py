"""The trace of one job as a picture: `python -m tests.benchmarks.trace [OUT.svg]`.

Two workers with the real models on servers of their own send their spans to a collector; a second
photo is drawn, since the first one finds everything cold.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from html import escape
from pathlib import Path

from packshot.client import Client
from packshot.contract import Step
from tests.benchmarks.rig import installation, jobs
from tests.support.collector import Collector, Span
from tests.support.fleet import Listener
from workers.simulate.plot import COLOURS, WIDTH, framed

#: Spans of one job: its own, the intake's, the steps' and its event's.
SPANS = len(Step) + 3
LEFT, ROW, TOP = 150, 24, 44
#: Seconds for a job.
PATIENCE = 120.0


def main() -> int:
    """Run two jobs and draw the second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, nargs="?", default=Path("trace.svg"))
    parser.add_argument("--side", type=int, default=2000, help="longer side of the photo, pixels")
    given = parser.parse_args()
    with closing(Collector()) as collector, installation() as fleet:
        fleet.settings["PACKSHOT_OTLP_ENDPOINT"] = collector.endpoint
        fleet.settings["PACKSHOT_TRACE_RATIO"] = "1"
        wanted = jobs(fleet, range(2), given.side)
        url = fleet.settings["PACKSHOT_BROKER_URL"]
        for role in ("io", "gpu"):
            fleet.start(role, "--concurrency", "1")
        with closing(Listener(url)) as listener, Client(url) as client:
            for number, job in enumerate(wanted, 1):
                client.submit(job)
                listener.wait(number, PATIENCE)
        spans = collector.wait(2 * SPANS, PATIENCE)
    last = [span for span in spans if span.trace == spans[-1].trace]
    given.out.write_text(draw(last), "utf-8")
    took = max(span.end for span in last) - last[0].start
    print(f"{given.out}: {len(last)} spans, {took:.2f} s")
    return 0


def draw(spans: Sequence[Span]) -> str:
    """A waterfall, the earliest span first. The job's own span spans them all."""
    begin, end = min(span.start for span in spans), max(span.end for span in spans)
    scale = (WIDTH - LEFT - 90) / (end - begin)
    workers = list(dict.fromkeys(span.worker for span in spans))
    height = TOP + ROW * len(spans) + 34
    parts: list[str] = []
    for at, span in enumerate(spans):
        y, x = TOP + at * ROW, LEFT + (span.start - begin) * scale
        width = max(1.5, (span.end - span.start) * scale)
        colour = COLOURS[workers.index(span.worker) % len(COLOURS)]
        parts.append(
            f'<text x="{LEFT - 10}" y="{y + 15}" text-anchor="end">{escape(span.name)}</text>'
            f'<rect x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="{ROW - 8}" rx="2" '
            f'fill="{colour}" opacity="{0.35 if span.name == "job" else 1}"/>'
            f'<text x="{x + width + 6:.1f}" y="{y + 15}" fill="#555">'
            f"{(span.end - span.start) * 1000:,.0f} ms</text>"
        )
    for at, worker in enumerate(workers):
        x = LEFT + at * 260
        parts.append(
            f'<rect x="{x}" y="{height - 22}" width="12" height="12" fill="{COLOURS[at]}"/>'
            f'<text x="{x + 18}" y="{height - 11}">{escape(worker.split("@")[0])}</text>'
        )
    return framed(f"trace {spans[0].trace}", height, parts)


if __name__ == "__main__":
    sys.exit(main())
