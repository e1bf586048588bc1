"""Tokens that a real kube-apiserver signs prove its pods to a service, and nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from aeterna.contracts.workloads import Tenancy, Workloads
from aeterna.service.adapters.issuers import verifier_of
from aeterna.service.errors import KeysUnavailableError, TenantMissingError, TokenInvalidError
from aeterna.service.settings import ServiceSettings
from fixtures.kube_client import Json
from fixtures.kube_cluster import KubeCluster

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.service.ports import TokenVerifier

pytestmark = [pytest.mark.needs("go", "etcd"), pytest.mark.timeout(1800)]


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace with a pod of the service account ``default``."""

    cluster: KubeCluster
    namespace: str
    pod: Mapping[str, Json]

    def token(self, audience: str = "aeterna", *, bound: bool = True) -> str:
        """Return a token of the service account."""
        return self.cluster.client.token(self.namespace, "default", audience, pod=self.pod if bound else None)


@pytest.fixture
def place(cluster: KubeCluster) -> Place:
    """Return a namespace of the test's own."""
    name = cluster.namespace("agents")
    container = {"name": "agent", "image": "agent:1"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "agent-0", "namespace": name}}
    made = cluster.client.create({**pod, "spec": {"serviceAccountName": "default", "containers": [container]}})
    return Place(cluster, name, made)


def verifier(cluster: KubeCluster, folder: Path, tenants: dict[str, str], **changed: object) -> TokenVerifier:
    """Return what a service in the cluster is set up with: the API server's own keys, asked for with its own token."""
    document = folder / "workloads.json"
    namespaces = {name: Tenancy(tenant=tenant, roles=("runner",)) for name, tenant in tenants.items()}
    document.write_text(Workloads(namespaces=namespaces).document(), "utf-8")
    token = folder / "api-token"
    token.write_text(cluster.credentials.admin_token, "utf-8")
    settings: dict[str, object] = {
        "port": 0,
        "issuer": "urn:people",
        "jwks": str(folder / "none"),
        "policy_url": "unix:/none",
        "workloads": document,
        "workload_issuer": cluster.issuer,
        "workload_jwks": f"{cluster.url}/openid/v1/jwks",
        "workload_jwks_ca_file": cluster.ca_file,
        "workload_jwks_token_file": token,
        **changed,
    }
    return verifier_of(ServiceSettings.model_validate(settings), CollectorRegistry())


def test_a_pods_token_proves_its_tenant(cluster: KubeCluster, place: Place, tmp_path: Path) -> None:
    token = place.token()

    caller = verifier(cluster, tmp_path, {place.namespace: "acme"}).verify(token)

    assert (caller.tenant, caller.kind, caller.roles) == ("acme", "Agent", {"runner"})
    assert caller.subject == f"system:serviceaccount:{place.namespace}:default"


def test_a_pod_of_no_tenant_is_served_nothing(cluster: KubeCluster, place: Place, tmp_path: Path) -> None:
    token = place.token()

    with pytest.raises(TenantMissingError):
        verifier(cluster, tmp_path, {"elsewhere": "acme"}).verify(token)


def test_a_token_for_the_api_server_or_of_no_pod_proves_nobody(
    cluster: KubeCluster, place: Place, tmp_path: Path
) -> None:
    believing = verifier(cluster, tmp_path, {place.namespace: "acme"})
    for_the_server = place.token(cluster.issuer)
    of_no_pod = place.token(bound=False)

    for token in (for_the_server, of_no_pod):
        with pytest.raises(TokenInvalidError):
            believing.verify(token)


@pytest.mark.parametrize("missing", ["workload_jwks_ca_file", "workload_jwks_token_file"])
def test_keys_that_cannot_be_had_prove_nobody(missing: str, cluster: KubeCluster, place: Place, tmp_path: Path) -> None:
    """An API server of nobody's authority is not believed, and a strict one does not tell its keys to strangers."""
    token = place.token()
    wrong = tmp_path / "wrong"
    wrong.write_text("stranger", "utf-8")
    believing = verifier(cluster, tmp_path, {place.namespace: "acme"}, **{missing: wrong})

    with pytest.raises(KeysUnavailableError):
        believing.verify(token)
