"""The platform keeps every rule on every cloud, and whatever hardens it is missed by a rule when it is taken away."""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from aeterna.contracts.sizes import Size
from aeterna.platform.rules import PACK
from aeterna.platform.rules._pods import PLACES
from aeterna.synth.rules.evaluation import Evaluation, findings
from aeterna.synth.rules.inventory import read
from aeterna.synth.rules.packs import installed
from aeterna.synth.rules.rule import Severity
from aeterna.synth.rules.subject import as_list
from fixtures.platform_documents import CLOUDS, documents
from fixtures.rule_documents import TODAY, holders

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

Json: TypeAlias = Any  # a synthesized document
PACKS = (*(pack for pack in installed() if pack.name != PACK.name), PACK)
RULES = {rule.id: rule for rule in PACK.rules}
GONE = object()
CONTAINERS = ("container", "init_container")


@dataclass(frozen=True, slots=True)
class Weakening:
    """A setting that hardens, what is put in its place, and the rule that has to notice."""

    path: str
    value: Json
    rule: str
    also: str | None = None
    """Where the pod says the same for all of its containers."""

    def __str__(self) -> str:
        return f"{self.path} {'removed' if self.value is GONE else json.dumps(self.value)}"


OF_CONTAINERS = [
    Weakening("security_context", GONE, "pod-read-only-root"),
    Weakening("security_context.privileged", True, "pod-privileged"),
    Weakening("security_context.run_as_non_root", False, "pod-run-as-non-root"),
    Weakening("security_context.run_as_non_root", GONE, "pod-run-as-non-root", also="security_context.run_as_non_root"),
    Weakening("security_context.run_as_user", "0", "pod-run-as-non-root"),
    Weakening("security_context.read_only_root_filesystem", False, "pod-read-only-root"),
    Weakening("security_context.read_only_root_filesystem", GONE, "pod-read-only-root"),
    Weakening("security_context.allow_privilege_escalation", True, "pod-privilege-escalation"),
    Weakening("security_context.allow_privilege_escalation", GONE, "pod-privilege-escalation"),
    Weakening("security_context.capabilities", GONE, "pod-capabilities"),
    Weakening("security_context.capabilities.drop", ["NET_RAW"], "pod-capabilities"),
    Weakening("security_context.capabilities", {"drop": ["ALL"], "add": ["SYS_ADMIN"]}, "pod-capabilities"),
    Weakening("security_context.seccomp_profile", GONE, "pod-seccomp", also="security_context.seccomp_profile"),
    Weakening("security_context.seccomp_profile", {"type": "Unconfined"}, "pod-seccomp"),
    Weakening("resources", GONE, "pod-resources"),
    Weakening("resources.requests", GONE, "pod-resources"),
    Weakening("resources.limits", GONE, "pod-resources"),
    Weakening("image", "registry.example.com/api", "pod-image-tag"),
    Weakening("image", "registry.example.com/api:latest", "pod-image-tag"),
    Weakening("env", [{"name": "DATABASE_PASSWORD", "value": "hunter2"}], "pod-environment-secret"),
    Weakening("port", [{"container_port": 80, "host_port": 80}], "pod-host-namespaces"),
]
OF_SERVING_CONTAINERS = [
    Weakening("liveness_probe", GONE, "pod-probes"),
    Weakening("readiness_probe", GONE, "pod-probes"),
]
OF_PODS = [
    Weakening("automount_service_account_token", True, "pod-token-automount"),
    Weakening("automount_service_account_token", GONE, "pod-token-automount"),
    Weakening("enable_service_links", True, "pod-service-links"),
    Weakening("enable_service_links", GONE, "pod-service-links"),
    Weakening("service_account_name", GONE, "pod-service-account"),
    Weakening("service_account_name", "default", "pod-service-account"),
    Weakening("host_network", True, "pod-host-namespaces"),
    Weakening("host_pid", True, "pod-host-namespaces"),
    Weakening("host_ipc", True, "pod-host-namespaces"),
    Weakening("volume", [{"name": "a", "host_path": {"path": "/"}}], "pod-host-path"),
]
ENFORCE = "pod-security.kubernetes.io/enforce"


@pytest.fixture(scope="module")
def document() -> Json:
    """Return a document of the largest platform with everything on, which the tests may change for a moment."""
    return copy.deepcopy(dict(documents()["aws-opal"].json))


@contextmanager
def changed(*changes: tuple[Json, str, Json]) -> Generator[None]:
    """Write a value at each of some places, or take it away, for as long as the block lasts."""
    kept = [(holder, name, holder.get(name, GONE)) for holder, name, _ in changes]
    for holder, name, value in changes:
        _put(holder, name, value)
    try:
        yield
    finally:
        for holder, name, value in reversed(kept):
            _put(holder, name, value)


def _put(holder: Json, name: str, value: Json) -> None:
    if value is GONE:
        holder.pop(name, None)
    else:
        holder[name] = value


def found(document: Json, rule: str) -> set[str]:
    """Return the addresses at which a rule finds something."""
    inventory = read(document, stack="platform", facts={})
    return {finding.address for finding in findings(RULES[rule], inventory)}


def named(document: Json, *kinds: str) -> Iterator[tuple[str, Json]]:
    """Yield the address and the arguments of each resource of some types."""
    for kind in kinds:
        for name, arguments in document["resource"].get(kind, {}).items():
            yield f"{kind}.{name}", arguments


def pods(document: Json) -> Iterator[tuple[str, Json]]:
    """Yield the address of each workload with the spec of its pods."""
    for kind, place in PLACES.items():
        for address, arguments in named(document, kind):
            for holder, last in holders(arguments, f"{place}.spec" if place else "spec"):
                for spec in as_list(holder[last]):
                    yield address, spec


def containers(spec: Json, *kinds: str) -> Iterator[Json]:
    for kind in kinds:
        yield from as_list(spec.get(kind))


def places(block: Json, path: str) -> list[tuple[Json, str]]:
    """Return where the last name of a path stands, or may be written where it does not stand yet."""
    there = list(holders(block, path))
    return there or ([(block, path)] if "." not in path else [])


def unnoticed(document: Json, weakening: Weakening, blocks: Callable[[Json], Iterator[Json]]) -> list[str]:
    """Return the workloads in which nobody missed what was taken away."""
    missed: list[str] = []
    tried = 0
    for address, spec in pods(document):
        above = [(*place, weakening.value) for place in (holders(spec, weakening.also) if weakening.also else ())]
        for block in blocks(spec):
            for holder, last in places(block, weakening.path):
                tried += 1
                with changed((holder, last, weakening.value), *above):
                    if address not in found(document, weakening.rule):
                        missed.append(f"{address} {block.get('name', '')}")
    assert tried, "nothing was taken away"
    return missed


@pytest.mark.parametrize("size", [*Size, "opal"])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_platform_keeps_every_rule_of_its_size(cloud: str, size: str) -> None:
    written = documents()[f"{cloud}-{size}"].json
    asked = Size(size) if size in list(Size) else Size.STANDARD

    report = Evaluation(packs=PACKS, today=TODAY, size=asked).of_documents({"platform": written})

    assert [(each.address, each.line) for each in report.findings if each.severity is Severity.ERROR] == []


def test_there_is_something_to_take_away(document: Json) -> None:
    assert len(list(pods(document))) >= len(["graph-api", "threads", "policies", "injector", "opal", "a job"])


@pytest.mark.parametrize("weakening", OF_CONTAINERS, ids=str)
def test_what_hardens_a_container_is_missed_when_it_is_gone(document: Json, weakening: Weakening) -> None:
    assert unnoticed(document, weakening, lambda spec: containers(spec, *CONTAINERS)) == []


@pytest.mark.parametrize("weakening", OF_PODS, ids=str)
def test_what_hardens_a_pod_is_missed_when_it_is_gone(document: Json, weakening: Weakening) -> None:
    assert unnoticed(document, weakening, lambda spec: iter([spec])) == []


@pytest.mark.parametrize("weakening", OF_SERVING_CONTAINERS, ids=str)
def test_a_probe_is_missed_when_it_is_gone(document: Json, weakening: Weakening) -> None:
    missed = unnoticed(document, weakening, lambda spec: containers(spec, "container"))

    assert [each for each in missed if "deployment" in each] == []


ELSEWHERE = {"run_as_group", "fs_group", "fs_group_change_policy", "supplemental_groups"}
"""Says as whom files are read; without it a pod does not start, and nothing is weaker."""


def test_every_setting_of_a_security_context_is_among_those_that_are_tried(document: Json) -> None:
    """One that is added to the platform is added here."""
    said = {
        name
        for _, spec in pods(document)
        for block in (spec, *containers(spec, *CONTAINERS))
        for context in as_list(block.get("security_context"))
        for name in context
    }

    tried = {each.path.split(".")[1] for each in OF_CONTAINERS if each.path.startswith("security_context.")}
    assert said - ELSEWHERE == tried


def test_pods_that_are_not_spread_any_more_are_noticed(document: Json) -> None:
    for address, spec in pods(document):
        if "topology_spread_constraint" in spec:
            with changed((spec, "topology_spread_constraint", GONE)):
                assert address in found(document, "pod-spread"), address


def test_a_budget_that_is_gone_is_noticed(document: Json) -> None:
    budgets = document["resource"]["kubernetes_pod_disruption_budget_v1"]
    for name in list(budgets):
        with changed((budgets, name, GONE)):
            assert found(document, "disruption-budget"), name


def test_a_namespace_that_takes_any_pod_is_noticed(document: Json) -> None:
    for address, namespace in named(document, "kubernetes_namespace_v1"):
        labels = as_list(namespace["metadata"])[0]["labels"]
        for level in (GONE, "baseline"):
            with changed((labels, ENFORCE, level)):
                assert found(document, "namespace-pod-security") == {address}


def test_a_denial_that_is_gone_is_noticed(document: Json) -> None:
    policies = document["resource"]["kubernetes_network_policy_v1"]
    denials = [name for name, each in policies.items() if as_list(each["metadata"])[0]["name"] == "default-deny"]

    assert len(denials) == len(document["resource"]["kubernetes_namespace_v1"])
    for name in denials:
        with changed((policies, name, GONE)):
            assert len(found(document, "namespace-default-deny")) == 1, name


def test_a_webhook_that_could_lock_out_the_cluster_is_noticed(document: Json) -> None:
    hooks = list(named(document, "kubernetes_mutating_webhook_configuration_v1"))

    assert hooks
    for address, arguments in hooks:
        for webhook in as_list(arguments["webhook"]):
            with changed((webhook, "namespace_selector", GONE), (webhook, "failure_policy", "Fail")):
                assert found(document, "webhook-reach") == {address}


def test_a_role_that_is_widened_is_noticed(document: Json) -> None:
    for address, role in named(document, "kubernetes_role_v1", "kubernetes_cluster_role_v1"):
        for rule in as_list(role["rule"]):
            with changed((rule, "verbs", ["*"])):
                assert found(document, "role-everything") == {address}


def test_a_service_that_goes_around_the_gateway_is_noticed(document: Json) -> None:
    for address, service in named(document, "kubernetes_service_v1"):
        for spec in as_list(service["spec"]):
            with changed((spec, "type", "LoadBalancer")):
                assert found(document, "exposed-service") == {address}


@pytest.mark.parametrize(
    ("kind", "arguments", "rule"),
    [
        ("kubernetes_secret_v1", {"data": {"password": "hunter2"}}, "secret-in-state"),
        ("kubernetes_manifest", {"manifest": {"kind": "Gateway"}}, "plans-without-cluster"),
    ],
)
def test_what_the_platform_does_without_is_noticed_when_it_comes(
    document: Json, kind: str, arguments: Json, rule: str
) -> None:
    with changed((document["resource"], kind, {"x": arguments})):
        assert found(document, rule) == {f"{kind}.x"}


def test_every_rule_has_to_notice_something_here() -> None:
    source = Path(__file__).read_text("utf-8")

    assert {rule for rule in RULES if f'"{rule}"' not in source} == set()
