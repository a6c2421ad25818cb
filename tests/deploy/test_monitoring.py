"""Dashboard, rules, runbook and autoscaler speak of metrics that exist, and of each other."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.monitoring import dashboard, queries
from packshot.metrics import DECLARED, OBJECTIVE_SHARE, OBJECTIVES
from tests.support.fixtures import need
from workers.exporter.work import role_work
from workers.roles import ROLES
from workers.simulate.study import DEFAULTS, NEARLY

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
RULES = MONITORING / "rules" / "packshot.yaml"
RULE_TESTS = sorted((MONITORING / "tests").glob("*.test.yaml"))
RUNBOOK = ROOT / "docs" / "runbook.md"

#: Metrics of others that we ask for: Prometheus, the process collector, RabbitMQ's plugin, KEDA.
FOREIGN = {
    "up",
    "ALERTS",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_alarms_free_disk_space_watermark",
    "keda_scaler_detail_errors_total",
}
_WORDS = {"and", "or", "unless", "bool", "by", "on", "without", "group_left", "group_right", "Inf"}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = [pytest.param(one, id=one["alert"]) for one in rules() if "alert" in one]
RECORDED = {one["record"] for one in rules() if "record" in one}
SERIES = {name: one for one in DECLARED for name in one.series}


def names(query: str) -> set[str]:
    """The metrics that a PromQL query asks for."""
    plain = re.sub(r'"[^"]*"', "", query)
    plain = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", plain)
    plain = re.sub(r"\b(by|on|without|group_left|group_right)\s*\([^)]*\)", " ", plain)
    found = re.findall(r"(?<![\w.])([a-zA-Z_:][\w:]*)(?!\w)(?!\s*\()", plain)
    return set(found) - _WORDS


def labelled(query: str) -> Iterator[tuple[str, str]]:
    """(metric, label) of every selector in a query."""
    for metric, selector in re.findall(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}", query):
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', "", selector)):
            yield metric, label


def every_query() -> list[Any]:
    found = [(f"rule {one.get('alert') or one['record']}", one["expr"]) for one in rules()]
    found += [
        (f"panel {panel.title} {at}", query)
        for panel in dashboard.PANELS
        for at, (query, _) in enumerate(panel.queries)
    ]
    found += [
        (f"scaler {one.name} {at}", trigger.query)
        for one in queries.scaled()
        for at, trigger in enumerate(one.triggers)
    ]
    return [pytest.param(query, id=name) for name, query in found]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param('sum by (le) (rate(a_total{x="b"}[5m]))', {"a_total"}, id="nested"),
        pytest.param("a:b > 2 * c or vector(0)", {"a:b", "c"}, id="operators"),
        pytest.param("a and on (step, lane) b == 0", {"a", "b"}, id="matching"),
        pytest.param("a < +Inf", {"a"}, id="infinity"),
    ],
)
def test_names_of_a_query(query: str, expected: set[str]) -> None:
    assert names(query) == expected


@pytest.mark.parametrize("query", every_query())
def test_every_metric_exists_with_its_labels(query: str) -> None:
    assert names(query), "no metric was recognised"
    assert names(query) - SERIES.keys() - RECORDED - FOREIGN == set()
    for metric, label in labelled(query):
        if metric in SERIES:
            allowed = {*SERIES[metric].labels, *(("le",) if metric.endswith("_bucket") else ())}
            assert label in allowed, f"{metric} has no label {label}"


def test_no_metric_of_the_exporter_is_on_no_panel() -> None:
    shown = {
        name for panel in dashboard.PANELS for query, _ in panel.queries for name in names(query)
    }
    silent = {one.name for one in DECLARED if not shown & set(one.series)}
    assert silent == {"packshot_queue_slots", "packshot_outbox_oldest_age_seconds"}


def test_the_dashboard_is_fresh() -> None:
    assert dashboard.FILE.read_text(encoding="utf-8") == dashboard.text()


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(dashboard.text())["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= dashboard.COLUMNS
        taken |= cells


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_severity_a_sentence_and_a_runbook(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["description"].strip().endswith(".")
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert (ROOT / page) == RUNBOOK
    assert anchor == alert["alert"].lower()
    text = RUNBOOK.read_text(encoding="utf-8")
    section = re.search(rf"^### {alert['alert']}$(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, "the runbook has no section for it"
    for part in ("**Means**", "**Look**", "**Do**"):
        assert part in section[1], part


def test_the_runbook_has_no_alert_that_is_gone() -> None:
    told = set(re.findall(r"^### (Packshot\w+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE))
    assert told == {one["alert"] for one in rules() if "alert" in one}


def test_the_objectives_in_the_rules_are_those_in_the_code() -> None:
    text = RULES.read_text(encoding="utf-8")
    for lane, seconds in OBJECTIVES.items():
        assert f'{{lane="{lane}",le="{float(seconds)}"}}' in text
    budget = f"{1 - OBJECTIVE_SHARE:.2f}"
    assert set(re.findall(r"\* (0\.\d+) ", text)) == {budget}


def test_every_alert_is_fired_by_a_promtool_test() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in RULE_TESTS)
    missing = [one["alert"] for one in rules() if "alert" in one and one["alert"] not in text]
    assert missing == []


def test_the_rules_do_what_they_say(pytestconfig: pytest.Config) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        need(pytestconfig, "promtool", "apt-get install prometheus")
    tests = (("test", "rules", path.name) for path in RULE_TESTS)
    for arguments in (("check", "rules", str(RULES)), *tests):
        done = subprocess.run(
            (promtool, *arguments),
            cwd=MONITORING / "tests",
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in queries.scaled()])
def test_the_autoscaler_asks_for_roles_that_exist(one: queries.Scaled) -> None:
    assert one.role in ROLES
    roles = {role for role, _ in role_work({}, {})}
    assert one.role in roles
    backlog = one.triggers[0]
    assert not backlog.ignore_null, "no answer would take the fleet away"
    assert backlog.threshold == DEFAULTS[one.lane].target * ROLES[one.role].concurrency


@pytest.mark.parametrize("lane", DEFAULTS)
def test_the_defaults_are_what_the_sweep_chose(lane: str) -> None:
    """docs/autoscaling/sweep.json is what `packshot simulate --sweep` found."""
    rows = json.loads((ROOT / "docs" / "autoscaling" / "sweep.json").read_text(encoding="utf-8"))
    (chosen,) = [row for row in rows if row["lane"] == lane and row["chosen"]]
    for name in ("target", "cooldown", "stabilisation", "minimum", "maximum", "utilisation"):
        assert chosen[name] == getattr(DEFAULTS[lane], name), name
    good = [row for row in rows if row["lane"] == lane and row["within_objective"] >= 0.95]
    assert chosen in good
    rush = max(row["rush_within_objective"] for row in rows if row["lane"] == lane) - NEARLY
    cheapest = min(row["gpu_hours"] for row in good if row["rush_within_objective"] >= rush)
    assert chosen["gpu_hours"] <= cheapest * (1 + NEARLY) + 0.01
