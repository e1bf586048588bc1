"""A pod is the same pod on both sides of the translation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aeterna.contracts.json_value import is_array, is_object
from aeterna.platform.l1.kubernetes.cron_job_v1 import KubernetesCronJobV1
from aeterna.platform.l1.kubernetes.daemon_set_v1 import KubernetesDaemonSetV1
from aeterna.platform.l1.kubernetes.deployment_v1 import KubernetesDeploymentV1
from aeterna.platform.l1.kubernetes.job_v1 import KubernetesJobV1
from aeterna.platform.l1.kubernetes.namespace_v1 import KubernetesNamespaceV1
from aeterna.platform.l1.kubernetes.stateful_set_v1 import KubernetesStatefulSetV1
from aeterna.platform.pods import to_arguments, to_json
from aeterna.platform.shapes import path_to_template, pod_template
from aeterna.synth.errors import UnrepresentableValueError
from fixtures.injected_pods import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.platform.pods import Json
    from aeterna.platform.shapes import Argument
    from fixtures.pods_for_injection import Row

SHAPE = pod_template(KubernetesDeploymentV1)
BINDINGS = (
    KubernetesDeploymentV1,
    KubernetesStatefulSetV1,
    KubernetesDaemonSetV1,
    KubernetesJobV1,
    KubernetesCronJobV1,
)

POD: Json = {
    "metadata": {"labels": {"app": "agent"}, "annotations": {"example.com/note": "kept"}},
    "spec": {
        "serviceAccountName": "agent",
        "hostIPC": False,
        "securityContext": {"runAsUser": 1000, "fsGroup": 2000, "supplementalGroups": [3000]},
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["general"]}]}
                    ]
                }
            },
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "agent"}}}
                ]
            },
        },
        "initContainers": [{"name": "first", "image": "first", "restartPolicy": "Always"}],
        "containers": [
            {
                "name": "agent",
                "image": "agent",
                "args": ["run"],
                "env": [
                    {"name": "PLAIN", "value": "1"},
                    {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "one"}}},
                ],
                "envFrom": [{"configMapRef": {"name": "more"}}],
                "ports": [{"name": "http", "containerPort": 8080}],
                "livenessProbe": {
                    "httpGet": {"path": "/", "port": 8080, "httpHeaders": [{"name": "Host", "value": "agent"}]}
                },
                "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}},
                "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}},
                "volumeMounts": [{"name": "files", "mountPath": "/files", "subPath": "a"}],
            }
        ],
        "tolerations": [{"key": "pool", "operator": "Exists"}],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app": "agent"}},
            }
        ],
        "volumes": [
            {
                "name": "files",
                "configMap": {"name": "files", "defaultMode": 0o440, "items": [{"key": "a", "path": "a"}]},
            },
            {
                "name": "token",
                "projected": {
                    "defaultMode": 0o444,
                    "sources": [
                        {"serviceAccountToken": {"path": "token", "audience": "aeterna"}},
                        {"configMap": {"name": "ca", "items": [{"key": "ca", "path": "ca", "mode": 0o400}]}},
                        {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
                    ],
                },
            },
            {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            {"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}},
        ],
    },
}


def normal(value: object) -> object:
    """Return the pod with every scalar as text: the provider has numbers as text, and knows no other difference."""
    if is_object(value):
        return {name: normal(each) for name, each in value.items()}
    if is_array(value):
        return [normal(each) for each in value]
    return value if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda binding: binding.__name__)
def test_a_pod_comes_back_as_it_went(binding: type[KubernetesDeploymentV1]) -> None:
    shape = pod_template(binding)

    back = to_json(to_arguments(POD, shape, "pod"), shape, "pod")

    assert normal(back) == normal(POD)


@pytest.mark.parametrize("row", [row for row in ROWS if row.authored], ids=lambda row: row.sentence)
def test_a_pod_that_has_a_form_at_all_loses_nothing(row: Row) -> None:
    """What the provider cannot say is refused aloud; the rest comes back."""
    pod: dict[str, Any] = {name: row.pod[name] for name in ("metadata", "spec") if name in row.pod}
    try:
        there = to_arguments(pod, SHAPE, "pod")
    except (UnrepresentableValueError, AttributeError):
        return

    assert normal(to_json(there, SHAPE, "pod")) == normal({name: part for name, part in pod.items() if part})


def test_what_the_provider_cannot_say_is_refused_with_its_place() -> None:
    pod: Json = {"spec": {"containers": [{"name": "agent", "resizePolicy": []}]}}

    with pytest.raises(UnrepresentableValueError, match=r"pod.spec.containers\[0\].resizePolicy"):
        to_arguments(pod, SHAPE, "pod")


def test_an_argument_that_is_none_is_refused_on_the_way_back() -> None:
    with pytest.raises(UnrepresentableValueError, match=r"pod\.spec\.containers"):
        to_json({"spec": {"containers": []}}, SHAPE, "pod")


def test_a_block_that_is_known_only_at_apply_is_refused() -> None:
    with pytest.raises(UnrepresentableValueError, match="only at apply"):
        to_json({"spec": {"container": "${var.containers}"}}, SHAPE, "pod")


def test_only_workloads_have_a_pods_template() -> None:
    with pytest.raises((LookupError, AttributeError)):
        path_to_template(KubernetesNamespaceV1)


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda binding: binding.__name__)
def test_every_argument_of_a_pod_has_one_name_in_kubernetes(binding: type[KubernetesDeploymentV1]) -> None:
    """Else two arguments would become one, and one of them be lost."""
    for path, name, argument in arguments(pod_template(binding)):
        value: object = {} if argument.nested else "x"
        arguments_of = {name: [value] if argument.kind == "Blocks" else value}

        there = to_json(arguments_of, {name: argument}, path)

        assert to_arguments(there, {name: argument}, path) == arguments_of


def arguments(shape: Mapping[str, Argument], path: str = "") -> Iterator[tuple[str, str, Argument]]:
    """Yield every argument of a pod, with its place."""
    for name, argument in shape.items():
        yield path, name, argument
        yield from arguments(argument.nested, f"{path}.{name}")
