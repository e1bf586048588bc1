"""What a wish adds to a pod, whole and literally: whoever changes it sees what every pod of a platform gets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aeterna.contracts.injection import Installation, Requests, Wish, merged, parts, tenant_of
from aeterna.contracts.injection.errors import CollisionError, ForeignTenantError, MalformedPodError, NoTenancyError
from fixtures.pods_for_injection import AGENTS, INSTALLATION, STRANGERS, WORKLOADS, container, installation, pod

POLICY = Wish(policy=True)
SECRETS = Wish(secrets=True, secrets_config="app")
PUSHED = installation(opal_url="http://opal-server.aeterna.svc:7002")


def probe(path: str, port: int, period: int, failures: int) -> dict[str, Any]:
    """Return a probe of a sidecar."""
    return {
        "httpGet": {"path": path, "port": port, "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 2,
        "successThreshold": 1,
        "failureThreshold": failures,
    }


CONFINED = {
    "restartPolicy": "Always",
    "imagePullPolicy": "IfNotPresent",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "FallbackToLogsOnError",
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsGroup": 65532,
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}
TMP = "/tmp"  # noqa: S108 - the sidecar's own
POD_ADDRESS = {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}
NO_TOKEN = {
    "name": "aeterna-no-api-token",
    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
    "readOnly": True,
}


def test_the_policy_sidecar_is_told_all_that_it_needs_and_confined() -> None:
    assert parts(POLICY, INSTALLATION, tenant="acme").init_containers == (
        {
            "name": "aeterna-policy",
            "image": "registry.example/aeterna/policy:1.4.0",
            "env": [
                {"name": "AETERNA_POLICY_HEALTH_HOST", "valueFrom": POD_ADDRESS},
                {"name": "AETERNA_POLICY_SOCKET", "value": "/run/aeterna/policy.sock"},
                {"name": "AETERNA_POLICY_HEALTH_PORT", "value": "9180"},
                {"name": "AETERNA_POLICY_STATE", "value": "/var/lib/aeterna"},
                {"name": "AETERNA_POLICY_TENANT", "value": "acme"},
                {"name": "AETERNA_POLICY_BUNDLE_URL", "value": "https://policies.aeterna.svc:8185/v1/bundle"},
                {"name": "AETERNA_POLICY_BUNDLE_KEYS", "value": "/etc/aeterna/trust/bundle-keys.pem"},
                {"name": "AETERNA_POLICY_BUNDLE_CA_FILE", "value": "/etc/aeterna/trust/ca.crt"},
            ],
            "resources": {"requests": {"cpu": "10m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
            "ports": [{"name": "policy-health", "containerPort": 9180, "protocol": "TCP"}],
            "startupProbe": probe("/ready", 9180, 1, 120),
            "readinessProbe": probe("/ready", 9180, 5, 3),
            "livenessProbe": probe("/live", 9180, 10, 3),
            "volumeMounts": [
                {"name": "aeterna-sockets", "mountPath": "/run/aeterna"},
                {"name": "aeterna-policy-state", "mountPath": "/var/lib/aeterna"},
                {"name": "aeterna-policy-tmp", "mountPath": TMP},
                {"name": "aeterna-trust", "mountPath": "/etc/aeterna/trust", "readOnly": True},
                NO_TOKEN,
            ],
            **CONFINED,
        },
    )


def test_the_secrets_sidecar_is_told_all_that_it_needs_and_confined() -> None:
    assert parts(SECRETS, INSTALLATION, tenant="acme").init_containers == (
        {
            "name": "aeterna-secrets",
            "image": "registry.example/aeterna/secrets:1.4.0",
            "env": [
                {"name": "AETERNA_SECRETS_HEALTH_HOST", "valueFrom": POD_ADDRESS},
                {"name": "AETERNA_SECRETS_SOCKET", "value": "/run/aeterna/secrets.sock"},
                {"name": "AETERNA_SECRETS_HEALTH_PORT", "value": "9181"},
                {"name": "AETERNA_SECRETS_CONFIG", "value": "/etc/aeterna/secrets"},
                {"name": "AETERNA_SECRETS_FILES", "value": "/run/aeterna-secrets"},
            ],
            "resources": {"requests": {"cpu": "10m", "memory": "96Mi"}, "limits": {"memory": "96Mi"}},
            "ports": [{"name": "secrets-health", "containerPort": 9181, "protocol": "TCP"}],
            "startupProbe": probe("/ready", 9181, 1, 120),
            "readinessProbe": probe("/ready", 9181, 5, 3),
            "livenessProbe": probe("/live", 9181, 10, 3),
            "volumeMounts": [
                {"name": "aeterna-sockets", "mountPath": "/run/aeterna"},
                {"name": "aeterna-secrets", "mountPath": "/run/aeterna-secrets"},
                {"name": "aeterna-secrets-config", "mountPath": "/etc/aeterna/secrets", "readOnly": True},
                {"name": "aeterna-secrets-tmp", "mountPath": TMP},
                {"name": "aeterna-token", "mountPath": "/var/run/secrets/aeterna", "readOnly": True},
                {"name": "aeterna-trust", "mountPath": "/etc/aeterna/trust", "readOnly": True},
                NO_TOKEN,
            ],
            **CONFINED,
        },
    )


def test_what_is_mounted_is_a_volume_and_every_volume_is_mounted() -> None:
    for told in (INSTALLATION, PUSHED):
        both = parts(replace(SECRETS, policy=True), told, tenant="acme")
        mounted: set[object] = {each["name"] for each in both.mounts}
        for sidecar in both.init_containers:
            of_sidecar: Any = sidecar["volumeMounts"]
            mounted |= {each["name"] for each in of_sidecar}

        assert mounted == {each["name"] for each in both.volumes}


def test_the_volumes_of_a_pod_with_both() -> None:
    volumes = {each["name"]: each for each in parts(replace(SECRETS, policy=True), INSTALLATION, tenant="a").volumes}

    assert volumes["aeterna-token"]["projected"] == {
        "defaultMode": 0o644,
        "sources": [{"serviceAccountToken": {"audience": "aeterna", "expirationSeconds": 3600, "path": "token"}}],
    }
    assert volumes["aeterna-trust"]["configMap"] == {"name": "aeterna-trust", "defaultMode": 0o644}
    assert volumes["aeterna-secrets"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "16Mi"}


def test_every_volume_of_ours_that_is_written_to_has_a_limit() -> None:
    for each in parts(replace(SECRETS, policy=True), PUSHED, tenant="acme").volumes:
        empty: Any = each.get("emptyDir")
        assert empty is None or empty["sizeLimit"]


def test_opals_client_starts_once_the_policy_sidecar_takes_pushes_and_is_started_once_it_has_them() -> None:
    sidecars: tuple[dict[str, Any], ...] = parts(POLICY, PUSHED, tenant="acme").init_containers

    assert [each["name"] for each in sidecars] == ["aeterna-policy", "aeterna-opal-client"]
    assert sidecars[0]["startupProbe"]["httpGet"]["path"] == "/live"
    assert sidecars[1]["startupProbe"]["httpGet"] == {"path": "/ready", "port": 9180, "scheme": "HTTP"}


def test_opals_client_and_the_policy_sidecar_know_each_others_ports() -> None:
    policy, opal = (
        {each["name"]: each.get("value") for each in sidecar["env"]}
        for sidecar in list[Any](parts(POLICY, PUSHED, tenant="acme").init_containers)
    )

    assert policy["AETERNA_POLICY_OPAL_URL"] == f"http://127.0.0.1:{opal['OPAL_CLIENT_API_SERVER_PORT']}"
    assert opal["OPAL_POLICY_STORE_URL"] == f"http://127.0.0.1:{policy['AETERNA_POLICY_ADMIN_PORT']}"


@pytest.mark.parametrize("port", [9180, 9184, 9185])
def test_every_port_of_a_sidecar_is_taken(port: int) -> None:
    plain = pod({}, container(ports=[{"containerPort": port}]))

    with pytest.raises(CollisionError, match=str(port)):
        merged(plain, parts(POLICY, PUSHED, tenant="acme"))


@pytest.mark.parametrize(
    ("told", "tenant", "waits"),
    [
        (INSTALLATION, "acme", False),
        (installation(seeded=False), "acme", True),
        (PUSHED, "acme", True),
        (installation(seeded=False), None, False),
        (replace(PUSHED, seeded=False), None, False),
    ],
    ids=["shipped policies", "deployed policies", "OPAL's", "our own service", "our own service with OPAL"],
)
def test_an_agent_waits_for_its_policies_and_our_own_services_do_not(
    told: Installation, tenant: str | None, *, waits: bool
) -> None:
    env: Any = parts(POLICY, told, tenant=tenant).init_containers[0]["env"]

    assert ({"name": "AETERNA_POLICY_SEEDED", "value": "false"} in env) is waits


def test_a_service_of_all_tenants_is_told_of_none() -> None:
    added = parts(POLICY, INSTALLATION, tenant=None)

    told: list[str] = [str(each["name"]) for each in added.env]
    sidecar: Any = added.init_containers[0]["env"]
    assert not [name for name in told if name.startswith("AETERNA_AGENT_")]
    assert "AETERNA_POLICY_TENANT" not in {each["name"] for each in sidecar}


def test_what_the_cloud_wants_on_pods_is_put_on_them() -> None:
    told = installation(pod_labels={"azure.workload.identity/use": "true"})

    assert parts(SECRETS, told, tenant="acme").labels == {
        "aeterna.io/injected": "true",
        "azure.workload.identity/use": "true",
    }


def test_the_status_tells_one_definition_from_another() -> None:
    same = {str(parts(POLICY, INSTALLATION, tenant="acme").annotations) for _ in range(2)}
    others = {
        str(parts(wished, told, tenant=tenant).annotations)
        for wished, told, tenant in (
            (SECRETS, INSTALLATION, "acme"),
            (POLICY, PUSHED, "acme"),
            (POLICY, INSTALLATION, "globex"),
            (replace(POLICY, policy_requests=Requests(cpu="1")), INSTALLATION, "acme"),
        )
    }

    assert len(same) == 1
    assert len(same | others) == 5


def test_a_tenant_is_that_of_the_namespace() -> None:
    assert tenant_of(POLICY, AGENTS, WORKLOADS) == "acme"
    with pytest.raises(NoTenancyError):
        tenant_of(POLICY, STRANGERS, WORKLOADS)
    with pytest.raises(ForeignTenantError):
        tenant_of(replace(POLICY, tenant="globex"), AGENTS, WORKLOADS)


def test_merging_changes_no_pod_but_the_one_that_it_returns() -> None:
    plain = pod({})
    before = str(plain)

    merged(plain, parts(POLICY, INSTALLATION, tenant="acme"))

    assert str(plain) == before


MALFORMED: dict[str, dict[str, Any]] = {
    "no spec": {"metadata": {}},
    "no containers": {"spec": {"containers": []}},
    "containers that are none": {"spec": {"containers": [1]}},
    "a container without a name": {"spec": {"containers": [{}]}},
    "a name that is a list": {"spec": {"containers": [{"name": []}]}},
    "a port that is a list": {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": []}]}]}},
    "a variable that is a list": {"spec": {"containers": [{"name": "a", "env": [{"name": []}]}]}},
    "a mount without a path": {"spec": {"containers": [{"name": "a", "volumeMounts": [{"name": "b"}]}]}},
    "a volume without a name": {"spec": {"containers": [{"name": "a"}], "volumes": [{}]}},
    "volumes that are none": {"spec": {"containers": [{"name": "a"}], "volumes": {"a": 1}}},
    "labels that are a list": {"metadata": {"labels": []}, "spec": {"containers": [{"name": "a"}]}},
    "groups that are a text": {"spec": {"containers": [{"name": "a"}], "securityContext": {"supplementalGroups": "1"}}},
}


@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_pod_is_refused_as_such(malformed: dict[str, Any]) -> None:
    with pytest.raises((MalformedPodError, CollisionError)):
        merged(malformed, parts(POLICY, INSTALLATION, tenant="acme"))
