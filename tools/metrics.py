"""Write docs/metrics.md from the declarations: `python tools/metrics.py [--check]`."""

import sys
from pathlib import Path

from packshot.metrics import DECLARED, Declared

PAGE = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"
HEAD = """# Metrics

Generated from `packshot/metrics.py`. Workers serve theirs on `PACKSHOT_METRICS_PORT`
(`packshot worker --metrics-port`), `packshot exporter` serves the installation's on its own port;
both under `/metrics`. Every worker process adds `process_*` and `python_info`.

What they mean together: [runbook.md](runbook.md), [autoscaling.md](autoscaling.md).
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for server, title in (("worker", "Workers"), ("exporter", "Exporter")):
        rows = [_row(one) for one in DECLARED if one.served_by == server]
        table = "| metric | kind | labels | meaning |\n|---|---|---|---|\n" + "\n".join(rows)
        parts.append(f"## {title}\n\n{table}\n")
    return "\n".join(parts)


def _row(one: Declared) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels) or "none"
    buckets = f" Buckets: {', '.join(f'{edge:g}' for edge in one.buckets)}." if one.buckets else ""
    return f"| `{one.name}` | {one.kind} | {labels} | {one.help}{buckets} |"


def main() -> int:
    """Write the page, or with --check say whether it is stale."""
    if "--check" in sys.argv[1:]:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
