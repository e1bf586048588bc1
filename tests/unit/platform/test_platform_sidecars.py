"""What is composed at synthesis is what admission would have made of the same pod."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.injection import Wish, annotations_of, merged, parts, tenant_of, wish
from aeterna.contracts.injection.errors import CollisionError, ForeignTenantError, NoTenancyError
from aeterna.contracts.injection.names import INJECT, POLICY_CONTAINER, STATUS
from aeterna.injector.domain.admission import Result
from aeterna.platform.l1.kubernetes.cron_job_v1 import KubernetesCronJobV1
from aeterna.platform.l1.kubernetes.deployment_v1 import KubernetesDeploymentV1
from aeterna.platform.l1.kubernetes.job_v1 import KubernetesJobV1
from aeterna.platform.l1.kubernetes.stateful_set_v1 import KubernetesStatefulSetV1
from aeterna.platform.pods import to_arguments, to_json
from aeterna.platform.shapes import path_to_template, pod_template
from aeterna.platform.sidecars import COMPOSED, with_sidecars
from aeterna.synth import testing
from aeterna.synth.app import TerraformStack
from aeterna.synth.errors import UnrepresentableValueError
from fixtures.injected_pods import ROWS
from fixtures.pods_for_injection import AGENTS, INSTALLATION, STRANGERS, WORKLOADS, Row, installation

KINDS = (KubernetesDeploymentV1, KubernetesStatefulSetV1, KubernetesJobV1, KubernetesCronJobV1)
POLICY = Wish(policy=True)
POD: dict[str, Any] = {
    "metadata": {"labels": {"app": "agent"}},
    "spec": {"containers": [{"name": "agent", "image": "agent:1"}]},
}


@pytest.fixture(scope="module")
def stack() -> TerraformStack:
    return TerraformStack(testing.app(), "customer")


def workload(stack: TerraformStack, kind: Any, pod: dict[str, Any], namespace: str = AGENTS) -> Any:  # noqa: ANN401 - any of the bindings
    """Return a workload of a customer's with these pods."""
    steps: tuple[str, ...] = path_to_template(kind)
    spec: Any = to_arguments(pod, pod_template(kind), "pod")
    for step in reversed(steps):
        spec = {step: spec}
    if kind is KubernetesCronJobV1:
        spec["schedule"] = "0 * * * *"
    name = f"Agent{len(stack.node.children)}"
    return kind(stack, name, metadata={"name": "agent", "namespace": namespace}, spec=spec)


def pod_of(found: KubernetesDeploymentV1) -> dict[str, Any]:
    """Return the pods of a workload as Kubernetes has them."""
    kind = type(found)
    template: Any = found.arguments["spec"]
    for step in path_to_template(kind):
        template = template[step]
    return to_json(template, pod_template(kind), "pod")


def through(kind: Any, pod: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - any of the bindings
    """Return a pod as it is after the provider has had it: numbers are text in some places."""
    return to_json(to_arguments(pod, pod_template(kind), "pod"), pod_template(kind), "pod")


def representable(row: Row) -> bool:
    """Whether the author could have written the pod of a row with the provider's bindings."""
    try:
        through(KubernetesDeploymentV1, {name: row.pod.get(name) or {} for name in ("metadata", "spec")})
    except UnrepresentableValueError:
        return False
    return True


INJECTED = [row for row in ROWS if row.result is Result.INJECTED and row.namespace == AGENTS and representable(row)]


@pytest.mark.parametrize("row", INJECTED, ids=[row.sentence for row in INJECTED])
def test_a_pod_of_the_table_becomes_what_admission_makes_of_it(row: Row, stack: TerraformStack) -> None:
    told = installation(row.policy)
    asked = wish(annotations_of(row.pod))
    assert asked is not None
    pod: dict[str, Any] = deepcopy({name: row.pod.get(name, {}) for name in ("metadata", "spec")})
    admitted = merged(pod, parts(asked, told, tenant=tenant_of(asked, AGENTS, WORKLOADS)))

    composed = with_sidecars(
        workload(stack, KubernetesDeploymentV1, pod), asked, installation=told, workloads=WORKLOADS
    )

    made, expected = pod_of(composed), through(KubernetesDeploymentV1, admitted)
    assert made["spec"] == expected["spec"]
    assert made["metadata"]["labels"] == expected["metadata"]["labels"]
    assert made["metadata"]["annotations"][STATUS] == expected["metadata"]["annotations"][STATUS]


def test_the_table_has_enough_that_the_provider_can_say() -> None:
    assert len(INJECTED) > 20


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_admission_finds_nothing_left_to_do(kind: type[KubernetesDeploymentV1], stack: TerraformStack) -> None:
    composed = with_sidecars(workload(stack, kind, POD), POLICY, installation=INSTALLATION, workloads=WORKLOADS)

    pod = pod_of(composed)

    assert wish(annotations_of(pod)) == POLICY
    assert through(kind, merged(pod, parts(POLICY, INSTALLATION, tenant="acme"))) == pod


def test_doing_it_twice_is_doing_it_once(stack: TerraformStack) -> None:
    found = workload(stack, KubernetesDeploymentV1, POD)
    once = pod_of(with_sidecars(found, POLICY, installation=INSTALLATION, workloads=WORKLOADS))

    twice = pod_of(with_sidecars(found, POLICY, installation=INSTALLATION, workloads=WORKLOADS))

    assert twice == once


def test_what_is_around_the_pods_stays(stack: TerraformStack) -> None:
    found = workload(stack, KubernetesCronJobV1, POD)

    with_sidecars(found, POLICY, installation=INSTALLATION, workloads=WORKLOADS)

    assert found.arguments["spec"]["schedule"] == "0 * * * *"


def test_a_status_does_not_change_with_the_names_of_placeholders(stack: TerraformStack) -> None:
    """Else every apply would replace every pod, because something else came into the stack."""
    late = installation(registry="${data.terraform_remote_state.prod.outputs.registry}")

    composed = with_sidecars(
        workload(stack, KubernetesDeploymentV1, POD), POLICY, installation=late, workloads=WORKLOADS
    )

    annotations = pod_of(composed)["metadata"]["annotations"]
    assert (annotations[INJECT], annotations[STATUS]) == ("policy", COMPOSED)


def test_the_namespace_decides_whose_a_pod_is(stack: TerraformStack) -> None:
    found = workload(stack, KubernetesDeploymentV1, POD, STRANGERS)

    with pytest.raises(NoTenancyError):
        with_sidecars(found, POLICY, installation=INSTALLATION, workloads=WORKLOADS)


def test_a_namespace_that_is_known_only_at_apply_has_to_be_told(stack: TerraformStack) -> None:
    found = workload(stack, KubernetesDeploymentV1, POD, "${kubernetes_namespace_v1.agents.metadata[0].name}")

    with pytest.raises(InvalidSpecError, match="give namespace="):
        with_sidecars(found, POLICY, installation=INSTALLATION, workloads=WORKLOADS)

    told = with_sidecars(found, POLICY, installation=INSTALLATION, workloads=WORKLOADS, namespace=AGENTS)
    assert pod_of(told)["spec"]["initContainers"][0]["name"] == POLICY_CONTAINER


def test_two_namespaces_for_one_workload_are_refused(stack: TerraformStack) -> None:
    found = workload(stack, KubernetesDeploymentV1, POD)

    with pytest.raises(InvalidSpecError, match="leave the given one out"):
        with_sidecars(found, POLICY, installation=INSTALLATION, workloads=WORKLOADS, namespace="globex-agents")


def test_another_tenant_than_the_namespaces_is_refused(stack: TerraformStack) -> None:
    found = workload(stack, KubernetesDeploymentV1, POD)

    with pytest.raises(ForeignTenantError):
        with_sidecars(found, Wish(policy=True, tenant="globex"), installation=INSTALLATION, workloads=WORKLOADS)


def test_a_pod_that_the_injection_leaves_alone_is_refused_here(stack: TerraformStack) -> None:
    """At admission nobody said that this pod should have sidecars; here somebody has."""
    pod = {**POD, "spec": {**POD["spec"], "hostNetwork": True}}

    with pytest.raises(InvalidSpecError, match="hostNetwork"):
        with_sidecars(
            workload(stack, KubernetesDeploymentV1, pod), POLICY, installation=INSTALLATION, workloads=WORKLOADS
        )


def test_a_container_with_a_name_of_ours_is_refused_and_nothing_is_changed(stack: TerraformStack) -> None:
    pod = {**POD, "spec": {"containers": [{"name": POLICY_CONTAINER, "image": "other"}]}}
    found = workload(stack, KubernetesDeploymentV1, pod)
    before = deepcopy(dict(found.arguments))

    with pytest.raises(CollisionError):
        with_sidecars(found, POLICY, installation=INSTALLATION, workloads=WORKLOADS)

    assert found.arguments == before
