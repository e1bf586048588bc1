"""What a cluster's and people's issuers cannot make a service believe of each other's matters."""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from aeterna.service.errors import TenantMissingError, TokenInvalidError
from fixtures.cluster_tokens import Cluster, ClusterIssuer

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.service.testing import SigningKey

OTHER_POD = {
    "namespace": "globex-agents",
    "pod": {"name": "bot-0", "uid": "2"},
    "serviceaccount": {"name": "bot", "uid": "3"},
}


@pytest.fixture
def cluster(signing_key: SigningKey, tmp_path: Path) -> Cluster:
    """Return a cluster with a document."""
    made = Cluster(signing_key, tmp_path / "workloads.json")
    made.write()
    return made


def test_people_do_not_become_pods_by_claiming_to(cluster: Cluster) -> None:
    token = cluster.person({"kubernetes.io": OTHER_POD})

    caller = cluster.verifier().verify(token)

    assert (caller.tenant, caller.kind, caller.subject) == ("acme", "User", "ada")


def test_people_without_a_tenant_do_not_get_one_by_claiming_to_be_a_pod(cluster: Cluster) -> None:
    token = cluster.person({"tenant": None, "kubernetes.io": OTHER_POD})

    with pytest.raises(TenantMissingError):
        cluster.verifier().verify(token)


def test_nobody_of_the_peoples_issuer_takes_the_name_of_a_pod(cluster: Cluster) -> None:
    """Subjects own tasks; those of two issuers must not meet."""
    verifier = cluster.verifier()
    token = cluster.person({"sub": "system:serviceaccount:acme-agents:bot", "kind": "agent"})

    for _ in range(2):
        with pytest.raises(TokenInvalidError):
            verifier.verify(token)

        assert verifier.remembered(token) is None


def test_the_claims_of_a_pods_token_that_name_a_tenant_roles_or_a_kind_count_for_nothing(cluster: Cluster) -> None:
    token = cluster.issuer.token(changed={"tenant": "globex", "roles": ["admin"], "kind": "user"})

    caller = cluster.verifier().verify(token)

    assert (caller.tenant, caller.roles, caller.kind) == ("acme", {"runner"}, "Agent")


def test_each_issuers_key_proves_its_own_tokens_alone(cluster: Cluster) -> None:
    """Neither may name the other as the issuer."""
    as_cluster = cluster.person({**cluster.issuer.claims(), "tenant": "acme"})
    as_people = cluster.issuer.token(changed={"iss": cluster.people.issuer, "tenant": "globex", "roles": ["admin"]})

    for token in (as_cluster, as_people):
        with pytest.raises(TokenInvalidError):
            cluster.verifier().verify(token)


BOUND = {**OTHER_POD, "namespace": "acme-agents"}
REFUSED: list[tuple[str, dict[str, object]]] = [
    ("its subject is of another namespace", {"sub": "system:serviceaccount:globex-agents:bot"}),
    ("its subject is another service account", {"sub": "system:serviceaccount:acme-agents:clerk"}),
    ("its subject is a node", {"sub": "system:node:node-1"}),
    ("it is bound to nothing", {"kubernetes.io": None}),
    ("it is bound to no pod", {"kubernetes.io": {**BOUND, "pod": None}}),
    ("its namespace is no text", {"kubernetes.io": {**BOUND, "namespace": ["acme-agents"]}}),
    ("its bindings are a list", {"kubernetes.io": [BOUND]}),
    ("it is for the API server", {"aud": ["https://kubernetes.default.svc.cluster.local"]}),
    ("it has no audience", {"aud": None}),
    ("it never ends", {"exp": None}),
    ("it has ended", {"exp": 1_799_999_000}),
]


@pytest.mark.parametrize("change", [change for _, change in REFUSED], ids=[name for name, _ in REFUSED])
def test_a_clusters_token_proves_nobody_when(change: dict[str, object], cluster: Cluster) -> None:
    with pytest.raises(TokenInvalidError):
        cluster.verifier().verify(cluster.issuer.token(changed=change))


def test_the_old_token_of_a_secret_proves_nobody(cluster: Cluster) -> None:
    """Kubernetes made such ones without an end or an audience; the same key signs them."""
    claims = {
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": "acme-agents",
        "kubernetes.io/serviceaccount/secret.name": "bot-token-x7k2p",
        "kubernetes.io/serviceaccount/service-account.name": "bot",
        "kubernetes.io/serviceaccount/service-account.uid": "3",
        "sub": "system:serviceaccount:acme-agents:bot",
    }
    with_the_new_name = {**claims, "iss": cluster.issuer.issuer, "aud": ["aeterna"], "iat": 1, "exp": 2_000_000_000}

    for each in (claims, with_the_new_name):
        with pytest.raises(TokenInvalidError):
            cluster.verifier().verify(cluster.issuer.signed(each))


def test_the_clusters_public_key_is_no_shared_secret(cluster: Cluster) -> None:
    header = {"alg": "HS256", "kid": cluster.issuer.key_id, "typ": "JWT"}
    parts = [json.dumps(part).encode() for part in (header, cluster.issuer.claims())]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    public = cluster.issuer.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signature = base64.urlsafe_b64encode(hmac.digest(public, signed, "sha256")).rstrip(b"=")

    with pytest.raises(TokenInvalidError):
        cluster.verifier().verify(b".".join([signed, signature]).decode())


def test_an_unsigned_pods_token_proves_nobody(cluster: Cluster) -> None:
    token = jwt.encode(cluster.issuer.claims(), "", algorithm="none", headers={"kid": cluster.issuer.key_id})

    with pytest.raises(TokenInvalidError):
        cluster.verifier().verify(token)


def test_another_cluster_with_the_same_name_proves_nobody(cluster: Cluster) -> None:
    """Many clusters are called ``https://kubernetes.default.svc.cluster.local``."""
    other = ClusterIssuer(key=rsa.generate_private_key(65537, 2048))

    with pytest.raises(TokenInvalidError):
        cluster.verifier().verify(other.token())


@pytest.mark.parametrize("payload", ["[]", "{}", "null", '{"iss": ["x"]}', "[" * 5000, "\ud800"])
def test_a_payload_that_names_no_issuer_is_refused_and_never_crashes(payload: str, cluster: Cluster) -> None:
    encoded = base64.urlsafe_b64encode(payload.encode("utf-8", "surrogatepass")).decode().rstrip("=")
    head = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"cluster-1"}').decode().rstrip("=")

    with pytest.raises(TokenInvalidError):
        cluster.verifier().verify(f"{head}.{encoded}.AAAA")


def test_a_header_that_is_nested_too_deeply_is_refused_and_never_crashes(cluster: Cluster) -> None:
    head = base64.urlsafe_b64encode(b"[" * 8000).decode().rstrip("=")

    with pytest.raises(TokenInvalidError):
        cluster.verifier().verify(f"{head}.e30.AAAA")
