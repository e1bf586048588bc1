"""Each rule of Kubernetes finds what breaks it and lets pass what keeps it, in every form that Terraform has for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.platform.rules import PACK
from fixtures.rule_documents import Case, Json, document, found

RIGHT: dict[str, Json] = {
    "name": "api",
    "image": "registry.example.com/api:1.2.3",
    "security_context": {
        "run_as_non_root": True,
        "read_only_root_filesystem": True,
        "allow_privilege_escalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccomp_profile": {"type": "RuntimeDefault"},
    },
    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
    "liveness_probe": {"http_get": {"path": "/live"}},
    "readiness_probe": {"http_get": {"path": "/ready"}},
}
POD: dict[str, Json] = {
    "automount_service_account_token": False,
    "enable_service_links": False,
    "service_account_name": "api",
}
LABELS = {"app": "api"}


def container(**changes: Json) -> dict[str, Json]:
    """Return a hardened container with some arguments replaced; None leaves one out."""
    return {name: value for name, value in {**RIGHT, **changes}.items() if value is not None}


def secured(**changes: Json) -> dict[str, Json]:
    """Return a hardened container with a part of its security context replaced."""
    context = {**RIGHT["security_context"], **changes}
    return container(security_context={name: value for name, value in context.items() if value is not None})


def running(*containers: dict[str, Json], replicas: int = 1, **pod: Json) -> dict[str, Json]:
    """Return a document with a Deployment of a hardened pod, some of whose arguments are replaced."""
    spec = {name: value for name, value in {**POD, **pod}.items() if value is not None}
    template = {"metadata": {"labels": LABELS}, "spec": {**spec, "container": list(containers or (container(),))}}
    return document(kubernetes_deployment_v1={"spec": {"replicas": str(replicas), "template": template}})


def both(*documents: dict[str, Json]) -> dict[str, Json]:
    """Return the resources of several documents in one."""
    return {"resource": {kind: named for each in documents for kind, named in each["resource"].items()}}


def namespace(**labels: str) -> dict[str, Json]:
    return document(kubernetes_namespace_v1={"metadata": {"name": "acme", "labels": labels}})


def deny(namespace: str = "acme", **changes: Any) -> dict[str, Json]:  # noqa: ANN401 - blocks of a policy
    spec: dict[str, Json] = {"pod_selector": {}, "policy_types": ["Ingress", "Egress"], **changes}
    return document(kubernetes_network_policy_v1={"metadata": {"namespace": namespace}, "spec": spec})


def webhook(selector: Json = None, policy: str | None = "Fail") -> dict[str, Json]:
    said = {"name": "a.example.com", "namespace_selector": selector, "failure_policy": policy}
    written = {name: value for name, value in said.items() if value is not None}
    return document(kubernetes_mutating_webhook_configuration_v1={"webhook": [written]})


def budget(**labels: str) -> dict[str, Json]:
    return document(kubernetes_pod_disruption_budget_v1={"spec": {"selector": {"match_labels": labels}}})


def role(**rule: list[str]) -> dict[str, Json]:
    said = {"api_groups": [""], "resources": ["pods"], "verbs": ["get"], **rule}
    return document(kubernetes_cluster_role_v1={"rule": [said]})


def outside(namespaces: list[str]) -> dict[str, Json]:
    """Return a selector of every namespace but these."""
    return {"match_expressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": namespaces}]}


SYSTEM = ["kube-system", "kube-public", "kube-node-lease"]

CASES = [
    Case(
        sentence="root of the machine",
        rule="pod-privileged",
        wrong=running(secured(privileged=True)),
        right=running(secured(privileged=False)),
    ),
    Case(
        sentence="a container that says nothing of its user",
        rule="pod-run-as-non-root",
        wrong=running(secured(run_as_non_root=None)),
        right=running(secured(run_as_non_root=None), security_context={"run_as_non_root": True}),
    ),
    Case(
        sentence="a container that takes back what its pod gave up",
        rule="pod-run-as-non-root",
        wrong=running(secured(run_as_non_root=False), security_context={"run_as_non_root": True}),
        right=running(secured(run_as_non_root="${var.later}")),
    ),
    Case(
        sentence="the user of number 0",
        rule="pod-run-as-non-root",
        wrong=running(secured(run_as_user="0")),
        right=running(secured(run_as_user="65532")),
    ),
    Case(
        sentence="an image that can be written to",
        rule="pod-read-only-root",
        wrong=running(secured(read_only_root_filesystem=None)),
        right=running(),
    ),
    Case(
        sentence="a container that may gain rights",
        rule="pod-privilege-escalation",
        wrong=running(secured(allow_privilege_escalation=None)),
        right=running(secured(allow_privilege_escalation="false")),
    ),
    Case(
        sentence="capabilities that are kept",
        rule="pod-capabilities",
        wrong=running(secured(capabilities={"drop": ["NET_RAW"]})),
        right=running(secured(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]})),
    ),
    Case(
        sentence="a capability that is taken back",
        rule="pod-capabilities",
        wrong=running(secured(capabilities={"drop": ["ALL"], "add": ["SYS_PTRACE"]})),
        right=running(secured(capabilities=[{"drop": ["ALL"]}])),
    ),
    Case(
        sentence="any call of the kernel",
        rule="pod-seccomp",
        wrong=running(secured(seccomp_profile={"type": "Unconfined"})),
        right=running(secured(seccomp_profile=None), security_context={"seccomp_profile": {"type": "RuntimeDefault"}}),
    ),
    Case(
        sentence="the machine's network",
        rule="pod-host-namespaces",
        wrong=running(host_network=True),
        right=running(host_network=False),
    ),
    Case(
        sentence="a port of the machine",
        rule="pod-host-namespaces",
        wrong=running(container(port=[{"container_port": 80, "host_port": 80}])),
        right=running(container(port=[{"container_port": 80}])),
    ),
    Case(
        sentence="a folder of the machine",
        rule="pod-host-path",
        wrong=running(volume=[{"name": "a", "empty_dir": {}}, {"name": "b", "host_path": {"path": "/var"}}]),
        right=running(volume=[{"name": "a", "empty_dir": {}}]),
    ),
    Case(
        sentence="as much memory as there is",
        rule="pod-resources",
        wrong=running(container(resources={"requests": {"cpu": "1", "memory": "1Gi"}})),
        right=running(container(resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}})),
    ),
    Case(
        sentence="one that never says whether it lives",
        rule="pod-probes",
        wrong=running(container(liveness_probe=None)),
        right=running(),
    ),
    Case(
        sentence="requests before it is ready",
        rule="pod-probes",
        wrong=running(container(readiness_probe=None)),
        right=document(
            kubernetes_job_v1={"spec": {"template": {"spec": {**POD, "container": container(readiness_probe=None)}}}}
        ),
    ),
    Case(
        sentence="a token of the cluster that nobody asked for",
        rule="pod-token-automount",
        wrong=running(automount_service_account_token=None),
        right=running(),
    ),
    Case(
        sentence="a map of the namespace in the environment",
        rule="pod-service-links",
        wrong=running(enable_service_links=True),
        right=running(),
    ),
    Case(
        sentence="the account of everybody",
        rule="pod-service-account",
        wrong=running(service_account_name=None),
        right=running(service_account_name="${kubernetes_service_account_v1.api.metadata[0].name}"),
    ),
    Case(
        sentence="an image of today",
        rule="pod-image-tag",
        wrong=running(container(image="registry.example.com:5000/api:latest")),
        right=running(container(image="${var.registry}/api:1.2.3")),
    ),
    Case(
        sentence="an image without a tag",
        rule="pod-image-tag",
        wrong=running(container(image="registry.example.com:5000/api")),
        right=running(container(image=f"registry.example.com/api@sha256:{'a' * 64}")),
    ),
    Case(
        sentence="a moving tag behind a registry that is known later",
        rule="pod-image-tag",
        wrong=running(container(image="${var.registry}/api:latest")),
        right=running(container(image="${var.image}")),
    ),
    Case(
        sentence="a password among the settings",
        rule="pod-environment-secret",
        wrong=running(container(env=[{"name": "A", "value": "1"}, {"name": "DATABASE_PASSWORD", "value": "hunter2"}])),
        right=running(container(env=[{"name": "DATABASE_PASSWORD_FILE", "value": "/run/secrets/password"}])),
    ),
    Case(
        sentence="a token among the settings of a container that starts first",
        rule="pod-environment-secret",
        wrong=running(init_container=[container(env={"name": "API_TOKEN", "value": "abc"})]),
        right=running(init_container=[container(env={"name": "API_TOKEN", "value_from": {"secret_key_ref": {}}})]),
    ),
    Case(
        sentence="three pods on one machine",
        rule="pod-spread",
        wrong=running(replicas=3),
        right=running(replicas=3, topology_spread_constraint=[{"topology_key": "topology.kubernetes.io/zone"}]),
    ),
    Case(
        sentence="three pods that are kept apart",
        rule="pod-spread",
        wrong=running(replicas=3, affinity={"node_affinity": {}}),
        right=running(replicas=3, affinity={"pod_anti_affinity": {"a": 1}}),
    ),
    Case(
        sentence="three pods that may all go at once",
        rule="disruption-budget",
        wrong=both(running(replicas=3), budget(app="another")),
        right=both(running(replicas=3), budget(app="api")),
    ),
    Case(
        sentence="one pod needs no budget",
        rule="disruption-budget",
        wrong=running(replicas=2),
        right=running(replicas=1),
    ),
    Case(
        sentence="a namespace for any pod",
        rule="namespace-pod-security",
        wrong=namespace(),
        right=namespace(**{"pod-security.kubernetes.io/enforce": "restricted"}),
    ),
    Case(
        sentence="a namespace for pods that are nearly privileged",
        rule="namespace-pod-security",
        wrong=namespace(**{"pod-security.kubernetes.io/enforce": "baseline"}),
        right=namespace(**{"pod-security.kubernetes.io/enforce": "${var.level}"}),
    ),
    Case(
        sentence="a namespace that is open",
        rule="namespace-default-deny",
        wrong=namespace(),
        right=both(namespace(), deny()),
    ),
    Case(
        sentence="a namespace whose pods may go anywhere",
        rule="namespace-default-deny",
        wrong=both(namespace(), deny(policy_types=["Ingress"])),
        right=both(namespace(), deny("${kubernetes_namespace_v1.x.metadata[0].name}")),
    ),
    Case(
        sentence="a denial of another namespace",
        rule="namespace-default-deny",
        wrong=both(namespace(), deny("umbrella")),
        right=both(namespace(), deny(pod_selector=[{}])),
    ),
    Case(
        sentence="a denial that allows something",
        rule="namespace-default-deny",
        wrong=both(namespace(), deny(egress=[{"to": []}])),
        right=both(namespace(), deny(egress=[])),
    ),
    Case(
        sentence="a webhook that is asked everywhere",
        rule="webhook-reach",
        wrong=webhook(),
        right=webhook({"match_labels": {"aeterna.io/injection": "enabled"}}),
    ),
    Case(
        sentence="a webhook whose failure is a refusal by default",
        rule="webhook-reach",
        wrong=webhook(policy=None),
        right=webhook(policy="Ignore"),
    ),
    Case(
        sentence="a webhook that leaves out one of three",
        rule="webhook-reach",
        wrong=webhook(outside(["kube-system"])),
        right=webhook(outside(SYSTEM)),
    ),
    Case(
        sentence="a webhook for whatever has no label",
        rule="webhook-reach",
        wrong=webhook({"match_expressions": [{"key": "skip", "operator": "DoesNotExist"}]}),
        right=webhook({"match_expressions": [{"key": "take", "operator": "Exists"}]}),
    ),
    Case(
        sentence="every right",
        rule="role-everything",
        wrong=role(verbs=["*"]),
        right=role(verbs=["get", "list"]),
    ),
    Case(
        sentence="the right to give oneself rights",
        rule="role-everything",
        wrong=role(verbs=["escalate"]),
        right=role(),
    ),
    Case(
        sentence="the role of the administrator",
        rule="role-everything",
        wrong=document(kubernetes_cluster_role_binding_v1={"role_ref": {"name": "cluster-admin"}}),
        right=document(kubernetes_cluster_role_binding_v1={"role_ref": {"name": "aeterna-injector"}}),
    ),
    Case(
        sentence="a Secret out of the state",
        rule="secret-in-state",
        wrong=document(kubernetes_secret_v1={"data": {"token": "${var.token}"}}),
        right=document(kubernetes_secret_v1={"data_wo": {"token": "${var.token}"}, "data_wo_revision": 1}),
    ),
    Case(
        sentence="a custom resource that a plan asks the cluster about",
        rule="plans-without-cluster",
        wrong=document(kubernetes_manifest={"manifest": {"kind": "Gateway"}}),
        right=document(helm_release={"chart": "gateway"}),
    ),
    Case(
        sentence="a port on every machine",
        rule="exposed-service",
        wrong=document(kubernetes_service_v1={"spec": {"type": "NodePort"}}),
        right=document(kubernetes_service_v1={"spec": {"type": "ClusterIP"}}),
    ),
    Case(
        sentence="an address from outside",
        rule="exposed-service",
        wrong=document(kubernetes_service_v1={"spec": [{"external_ips": ["203.0.113.1"]}]}),
        right=document(kubernetes_service_v1={"spec": [{"external_ips": []}]}),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_breaks_a_rule_is_found(case: Case) -> None:
    assert found(case.wrong, case.rule, PACK)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_keeps_a_rule_is_not_found(case: Case) -> None:
    assert found(case.right, case.rule, PACK) == []


def test_every_rule_of_kubernetes_is_tried_here() -> None:
    assert {case.rule for case in CASES} == {rule.id for rule in PACK.rules}


UNHARDENED: dict[str, Json] = {"name": "api", "image": "api"}
HARDENING = ["pod-run-as-non-root", "pod-read-only-root", "pod-capabilities", "pod-image-tag", "pod-resources"]
FORMS = {
    "a_deployment": {"kubernetes_deployment": {"spec": [{"template": [{"spec": [{"container": [UNHARDENED]}]}]}]}},
    "a_stateful_set": {"kubernetes_stateful_set_v1": {"spec": {"template": {"spec": {"container": UNHARDENED}}}}},
    "a_daemon_set": {"kubernetes_daemon_set_v1": {"spec": {"template": {"spec": {"container": UNHARDENED}}}}},
    "a_job": {"kubernetes_job_v1": {"spec": {"template": {"spec": {"container": UNHARDENED}}}}},
    "a_cron_job": {
        "kubernetes_cron_job_v1": {
            "spec": {"job_template": {"spec": {"template": {"spec": {"container": UNHARDENED}}}}}
        }
    },
    "a_pod": {"kubernetes_pod_v1": {"spec": {"container": UNHARDENED}}},
    "a_container_that_starts_first": {
        "kubernetes_pod_v1": {"spec": {"container": container(), "init_container": [UNHARDENED]}}
    },
    "containers_that_are_counted_at_apply": {
        "kubernetes_pod_v1": {"spec": {"dynamic": {"container": {"for_each": "${var.a}", "content": UNHARDENED}}}}
    },
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_pod_is_looked_at_in_whatever_it_is_written(form: dict[str, Json]) -> None:
    assert [rule for rule in HARDENING if not found(document(**form), rule, PACK)] == []


NAMES = st.sampled_from(
    [
        *("spec", "template", "container", "init_container", "security_context", "capabilities", "drop", "env", "name"),
        *("webhook", "namespace_selector", "match_labels", "match_expressions", "operator", "values", "key", "image"),
        *("rule", "verbs", "metadata", "labels", "namespace", "policy_types", "pod_selector", "volume", "dynamic"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x", "${a.b.c}", "${", "*", "In", "Fail"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
TYPES = st.sampled_from(
    [
        *("kubernetes_deployment_v1", "kubernetes_pod", "kubernetes_cron_job_v1", "kubernetes_namespace_v1"),
        *("kubernetes_network_policy_v1", "kubernetes_mutating_webhook_configuration_v1", "kubernetes_cluster_role"),
        *("kubernetes_pod_disruption_budget_v1", "kubernetes_service_v1", "kubernetes_secret_v1"),
    ]
)


@given(resources=st.dictionaries(TYPES, st.dictionaries(st.sampled_from(["x", "y"]), VALUES, max_size=2), max_size=3))
def test_any_document_is_looked_at(resources: dict[str, Json]) -> None:
    """What a rule does not understand it leaves alone."""
    assert isinstance(found({"resource": resources}, "pod-privileged", PACK), list)
