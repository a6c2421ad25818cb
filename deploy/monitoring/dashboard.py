"""The Grafana dashboard as code: `python -m deploy.monitoring.dashboard [--check]`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent / "grafana" / "packshot.json"
#: Grafana's grid.
COLUMNS, HEIGHT = 24, 8


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot: queries with their legends."""

    row: str
    title: str
    unit: str
    queries: Sequence[tuple[str, str]]
    width: int = 8
    help: str = ""
    kind: str = "timeseries"


STEP = 'step=~"$step",lane=~"$lane"'
LANE = 'lane=~"$lane"'


def _quantile(share: float, metric: str, labels: str, by: str) -> str:
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket{{{labels}}}[5m])))"


def _share(part: str, whole: str, by: str) -> str:
    return f"sum by ({by}) (rate({part}[5m])) / sum by ({by}) (rate({whole}[5m]))"


PANELS = (
    Panel(
        "Objectives",
        "Jobs that miss the objective",
        "percentunit",
        [
            (f"packshot:missed:ratio_rate1h{{{LANE}}}", "{{lane}}, an hour"),
            (f"packshot:missed:ratio_rate5m{{{LANE}}}", "{{lane}}, 5 min"),
        ],
        help="95 of 100 jobs are final in time: live 30 s, bulk 1 h. The budget is 5 %.",
    ),
    Panel(
        "Objectives",
        "Accepted to final",
        "s",
        [
            (_quantile(q, "packshot_job_duration_seconds", LANE, "lane"), f"{{{{lane}}}} p{q:.0%}")
            for q in (0.5, 0.95)
        ],
    ),
    Panel(
        "Objectives",
        "Jobs that ended",
        "ops",
        [
            (
                f"sum by (lane, status) (rate(packshot_jobs_total{{{LANE}}}[5m]))",
                "{{lane}} {{status}}",
            )
        ],
    ),
    Panel(
        "Work",
        "Work queued, seconds",
        "s",
        [(f"packshot_queue_work_seconds{{{STEP}}}", "{{step}} {{lane}}")],
        help="Messages, ready and unacked, times the measured seconds of one.",
    ),
    Panel(
        "Work",
        "Time to drain with the present fleet",
        "s",
        [(f"packshot_queue_drain_seconds{{{STEP}}}", "{{step}} {{lane}}")],
    ),
    Panel(
        "Work",
        "Age of the oldest job",
        "s",
        [(f"packshot_oldest_job_age_seconds{{{STEP}}}", "{{step}} {{lane}}")],
    ),
    Panel(
        "Work",
        "Messages",
        "short",
        [(f"sum by (step, lane) (packshot_queue_messages{{{STEP}}})", "{{step}} {{lane}}")],
    ),
    Panel(
        "Work",
        "What the autoscaler reads",
        "s",
        [(f"packshot_role_work_seconds{{{LANE}}}", "{{role}} {{lane}}")],
    ),
    Panel(
        "Work",
        "Slots: there and busy",
        "short",
        [
            ("sum by (role) (packshot_worker_slots)", "{{role}} slots"),
            ("sum(packshot_worker_busy_slots)", "busy"),
        ],
    ),
    Panel(
        "Steps",
        "Steps done",
        "ops",
        [
            (
                f"sum by (step, outcome) (rate(packshot_steps_total{{{STEP}}}[5m]))",
                "{{step}} {{outcome}}",
            )
        ],
    ),
    Panel(
        "Steps",
        "Duration, p95",
        "s",
        [(_quantile(0.95, "packshot_step_duration_seconds", STEP, "step"), "{{step}}")],
    ),
    Panel(
        "Steps",
        "Wait in the queue, p95",
        "s",
        [(_quantile(0.95, "packshot_step_wait_seconds", STEP, "step, lane"), "{{step}} {{lane}}")],
    ),
    Panel(
        "Steps",
        "Errors by code",
        "ops",
        [
            (
                f"sum by (step, code) (rate(packshot_step_errors_total{{{STEP}}}[5m]))",
                "{{step}} {{code}}",
            )
        ],
    ),
    Panel(
        "Steps",
        "Deliveries that come again",
        "ops",
        [
            (
                f"sum by (step, reason) (rate(packshot_step_retries_total{{{STEP}}}[5m]))",
                "{{step}} {{reason}}",
            )
        ],
    ),
    Panel(
        "Steps",
        "Attempts of a finished step, mean",
        "short",
        [
            (
                _share(
                    f"packshot_step_attempts_sum{{{STEP}}}",
                    f"packshot_step_attempts_count{{{STEP}}}",
                    "step",
                ),
                "{{step}}",
            )
        ],
    ),
    Panel(
        "Models",
        "Confidence",
        "short",
        [('sum by (le) (increase(packshot_confidence_bucket{step=~"$step"}[30m]))', "{{le}}")],
        kind="heatmap",
        help="A shift without a release means other photos; with one, look at the review rate.",
    ),
    Panel(
        "Models",
        "Photos in a batch, mean",
        "short",
        [
            (
                _share("packshot_batch_size_sum", "packshot_batch_size_count", "model"),
                "{{model}}",
            )
        ],
    ),
    Panel(
        "Models",
        "Results that were known",
        "percentunit",
        [
            (
                _share(
                    'packshot_cache_lookups_total{result="hit"}',
                    "packshot_cache_lookups_total",
                    "step",
                ),
                "{{step}}",
            )
        ],
    ),
    Panel(
        "Models",
        "Weights and releases that run",
        "short",
        [
            ("count by (step, model, version, sha256) (packshot_model_info)", "{{model}}"),
            ("count by (version) (packshot_build_info)", "packshot {{version}}"),
        ],
        width=24,
        kind="table",
    ),
    Panel(
        "People",
        "Share that goes to review",
        "percentunit",
        [
            (
                _share('packshot_jobs_total{status="review"}', "packshot_jobs_total", "lane"),
                "{{lane}}",
            )
        ],
    ),
    Panel(
        "People",
        "Reasons for review",
        "ops",
        [("sum by (reason) (rate(packshot_reviews_total[30m]))", "{{reason}}")],
    ),
    Panel(
        "People",
        "Jobs that wait for a person",
        "short",
        [("packshot_review_depth", "{{lane}}")],
    ),
    Panel(
        "People",
        "The oldest of them",
        "s",
        [("packshot_review_oldest_age_seconds", "{{lane}}")],
    ),
    Panel(
        "People",
        "Dead letters and refused messages",
        "short",
        [("packshot_dead_letters", "{{queue}}")],
    ),
    Panel(
        "People",
        "Producers' messages",
        "ops",
        [("sum by (outcome) (rate(packshot_messages_total[5m]))", "{{outcome}}")],
    ),
    Panel(
        "Plumbing",
        "Events that wait",
        "short",
        [("packshot_outbox_waiting", "waiting")],
    ),
    Panel(
        "Plumbing",
        "Events published",
        "ops",
        [("sum by (type) (rate(packshot_events_published_total[5m]))", "{{type}}")],
    ),
    Panel(
        "Plumbing",
        "Exporter: servers it can read, seconds it takes",
        "short",
        [
            ("packshot_exporter_server_up", "{{server}}"),
            ("packshot_exporter_refresh_seconds", "seconds"),
        ],
    ),
    Panel(
        "Plumbing",
        "Memory of workers",
        "bytes",
        [("process_resident_memory_bytes", "{{instance}}")],
    ),
    Panel(
        "Plumbing",
        "CPU of workers",
        "percentunit",
        [("rate(process_cpu_seconds_total[5m])", "{{instance}}")],
    ),
    Panel("Plumbing", "Seconds of one delivery", "s", [("packshot_step_cost_seconds", "{{step}}")]),
)


def dashboard() -> dict[str, Any]:
    """What Grafana imports."""
    return {
        "uid": "packshot",
        "title": "Packshot",
        "tags": ["packshot"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {
                    "name": "source",
                    "type": "datasource",
                    "query": "prometheus",
                    "label": "Prometheus",
                },
                _variable("lane"),
                _variable("step"),
            ]
        },
        "panels": _panels(),
    }


def _variable(label: str) -> dict[str, Any]:
    query = f"label_values(packshot_queue_messages, {label})"
    return {
        "name": label,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "query": {"query": query, "refId": label},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    y = 0
    for row, panels in groupby(PANELS, key=lambda one: one.row):
        found.append(
            {
                "id": len(found) + 1,
                "type": "row",
                "title": row,
                "collapsed": False,
                "panels": [],
                "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
            }
        )
        x, y = 0, y + 1
        for one in panels:
            if x + one.width > COLUMNS:
                x, y = 0, y + HEIGHT
            found.append(_panel(one, len(found) + 1, x, y))
            x += one.width
        y += HEIGHT
    return found


def _panel(one: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    instant = one.kind == "table"
    return {
        "id": number,
        "type": one.kind,
        "title": one.title,
        "description": one.help,
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "gridPos": {"x": x, "y": y, "w": one.width, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": one.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "expr": query,
                "legendFormat": legend,
                "instant": instant,
                "format": {"table": "table", "heatmap": "heatmap"}.get(one.kind, "time_series"),
            }
            for at, (query, legend) in enumerate(one.queries)
        ],
    }


def text() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=1) + "\n"


def main() -> int:
    """Write the file, or with --check say whether it is stale."""
    if "--check" in sys.argv[1:]:
        return int(FILE.read_text(encoding="utf-8") != text())
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
