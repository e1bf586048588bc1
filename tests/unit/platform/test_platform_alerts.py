"""Alerts and dashboards ask only for metrics that there are, and each alert says what to do in the guide."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import yaml

from aeterna.platform.jobs import MIGRATIONS, SCHEDULED, TABLES
from aeterna.platform.releases import CHARTS
from fixtures.metric_names import asked_by, grouped_by, of_our_own
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

Json: TypeAlias = Any  # a rule, and a dashboard

MONITORING = CHARTS / "monitoring"
GUIDE = (ROOT / "docs" / "guide" / "platform-operations.md").read_text("utf-8")
OF_THE_TARGET = frozenset({"namespace", "pod", "job", "container", "endpoint", "instance"})
"""Labels that Prometheus itself gives to what it scrapes; what a process calls the same is then ``exported_…``."""
KUBERNETES = {
    "kube_deployment_status_replicas_available": {"deployment"},
    "kube_deployment_spec_replicas": {"deployment"},
    "kube_deployment_status_condition": {"deployment", "condition", "status"},
    "kube_poddisruptionbudget_status_pod_disruptions_allowed": {"poddisruptionbudget"},
    "kube_job_status_failed": {"job_name"},
    "kube_cronjob_status_last_successful_time": {"cronjob"},
    "kube_cronjob_created": {"cronjob"},
    "kube_pod_init_container_status_restarts_total": {"container"},
    "up": set[str](),
}
"""What kube-state-metrics (2.10 and later) and Prometheus tell, as far as it is used."""


def groups() -> list[Json]:
    return [
        group
        for path in sorted((MONITORING / "rules").glob("*.yaml"))
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    ]


RULES = [rule for group in groups() for rule in group["rules"]]
RECORDED = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
DASHBOARDS = sorted((MONITORING / "dashboards").glob("*.json"))


def queries() -> Iterator[tuple[str, str]]:
    """Yield every query with the place that it stands in."""
    for rule in RULES:
        yield rule.get("alert") or rule["record"], rule["expr"]
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", target["expr"]


QUERIES = list(queries())


def labels_of(name: str) -> frozenset[str] | None:
    """Return the labels that a series can have, or None if there is no such series."""
    if name in RECORDED:
        asked = [labels_of(each.name) or frozenset() for each in asked_by(RECORDED[name])]
        return frozenset(grouped_by(RECORDED[name])) & (OF_THE_TARGET | frozenset[str]().union(*asked))
    if name in KUBERNETES:
        return OF_THE_TARGET | frozenset(KUBERNETES[name])
    own = of_our_own().get(name)
    if own is None:
        return None
    return OF_THE_TARGET | frozenset(f"exported_{label}" if label in OF_THE_TARGET else label for label in own)


def test_there_are_metrics_to_compare_with() -> None:
    assert len(of_our_own()) > 100


@pytest.mark.parametrize(("place", "query"), QUERIES, ids=[place for place, _ in QUERIES])
def test_a_query_asks_only_for_metrics_that_there_are(place: str, query: str) -> None:
    asked = asked_by(query)

    assert asked, place
    assert [each.name for each in asked if labels_of(each.name) is None] == []


@pytest.mark.parametrize(("place", "query"), QUERIES, ids=[place for place, _ in QUERIES])
def test_a_query_chooses_and_groups_only_by_labels_that_those_metrics_have(place: str, query: str) -> None:
    """A label that is not there selects nothing, and the alert never fires."""
    asked = asked_by(query)
    some = frozenset[str]().union(*(labels_of(each.name) or frozenset() for each in asked))

    assert [(each.name, label) for each in asked for label in each.labels - (labels_of(each.name) or set())] == [], (
        place
    )
    assert grouped_by(query) - some == set(), place


def test_a_query_with_a_slip_in_it_would_be_noticed() -> None:
    (slip,) = asked_by('sum by (job) (rate(aeterna_http_request_duration_second_count{status=~"5.."}[5m]))')

    assert labels_of(slip.name) is None
    assert slip.labels == {"status"}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_it_is_and_what_it_means(name: str) -> None:
    alert = ALERTS[name]

    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert len(alert["annotations"]["summary"]) > len("It is down")
    used = set(re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"]))
    asked = frozenset[str]().union(*(labels_of(each.name) or frozenset() for each in asked_by(alert["expr"])))
    kept = grouped_by(alert["expr"]) or asked
    assert used <= kept, "a label that the result does not have is an empty word in the sentence"


def test_the_guide_says_of_every_alert_what_to_do_and_of_no_other() -> None:
    """The chart makes each alert's runbook address of its name, as code hosts make the address of a heading."""
    section = GUIDE.partition("## Alerts")[2].partition("\n## ")[0]
    headings = re.findall(r"^### (\w+)$", section, re.MULTILINE)

    assert sorted(headings) == sorted(ALERTS)
    for text in re.split(r"^### \w+$", section, flags=re.MULTILINE)[1:]:
        assert re.search(r"\bDo: \S", text), text


@pytest.mark.parametrize("name", [task.name for task in SCHEDULED])
def test_somebody_is_told_when_what_is_scheduled_has_not_been_done(name: str) -> None:
    """Also when it never was, of which there is no time."""
    late = f'(kube_cronjob_status_last_successful_time{{cronjob="{name}"}} or kube_cronjob_created{{cronjob="{name}"}})'

    assert [alert for alert, rule in ALERTS.items() if late in rule["expr"]]


@pytest.mark.parametrize("name", [task.name for task in (*MIGRATIONS, TABLES, *SCHEDULED)])
def test_somebody_is_told_when_a_job_fails(name: str) -> None:
    """A Job is named as its task is, with more behind it."""
    (chosen,) = re.findall(r'job_name=~"(.*?)"', ALERTS["JobFailed"]["expr"])

    assert re.fullmatch(chosen, f"{name}-29394817")


def test_no_two_rules_have_one_name() -> None:
    names = [rule.get("alert") or rule["record"] for rule in RULES]

    assert len(names) == len(set(names))


def test_every_recorded_series_is_asked_for() -> None:
    asked = {each.name for _, query in QUERIES for each in asked_by(query)}

    assert set(RECORDED) - asked - {"aeterna:http_requests:rate5m"} == set()


def test_the_rules_of_the_opal_guide_are_loaded() -> None:
    page = (ROOT / "docs" / "guide" / "policy-opal.md").read_text("utf-8")
    (block,) = re.findall(r"```yaml\n(groups:.*?)```", page, re.DOTALL)
    said = [rule for group in yaml.safe_load(block)["groups"] for rule in group["rules"]]

    assert {rule["record"]: rule["expr"] for rule in said if "record" in rule}.items() <= RECORDED.items()
    assert {rule["alert"]: rule["expr"] for rule in said if "alert" in rule}.items() <= {
        name: alert["expr"] for name, alert in ALERTS.items()
    }.items()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_can_be_found_and_names_no_data_source_of_its_own(path: Any) -> None:  # noqa: ANN401 - pytest's ids
    board = json.loads(path.read_text("utf-8"))

    assert board["uid"] == f"aeterna-{path.stem}"
    assert board["title"] in GUIDE
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {"${datasource}"}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
