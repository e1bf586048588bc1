"""Pods prove themselves by their cluster's tokens, and whose they are is what the platform's document says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import ValidationError

from aeterna.contracts.workloads import Tenancy, Workloads
from aeterna.service.adapters.workloads_file import WorkloadsFile, WorkloadsMetrics
from aeterna.service.errors import TenantMissingError, WorkloadsUnavailableError
from aeterna.service.settings import ServiceSettings
from fixtures.cluster_tokens import WORKLOADS, Cluster

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.service.testing import SigningKey

BROKEN = '{"format": 1, "namespaces": {"acme-agents": {"tenant": "globex"}'


@pytest.fixture
def cluster(signing_key: SigningKey, tmp_path: Path) -> Cluster:
    """Return a cluster with a document."""
    made = Cluster(signing_key, tmp_path / "workloads.json")
    made.write()
    return made


def test_a_pod_is_an_agent_of_its_namespaces_tenant_with_the_roles_of_the_document(cluster: Cluster) -> None:
    caller = cluster.verifier().verify(cluster.issuer.token())

    assert (caller.tenant, caller.kind) == ("acme", "Agent")
    assert caller.subject == "system:serviceaccount:acme-agents:bot"
    assert caller.roles == {"runner"}


def test_a_service_account_of_its_own_has_its_own_roles(cluster: Cluster) -> None:
    caller = cluster.verifier().verify(cluster.issuer.token(account="clerk"))

    assert caller.roles == {"reader", "writer"}


def test_people_are_proven_as_ever(cluster: Cluster) -> None:
    caller = cluster.verifier().verify(cluster.people.token("acme", now=cluster.now))

    assert (caller.tenant, caller.kind, caller.roles) == ("acme", "User", {"admin"})


def test_a_namespace_without_a_tenant_is_not_served(cluster: Cluster) -> None:
    with pytest.raises(TenantMissingError):
        cluster.verifier().verify(cluster.issuer.token(namespace="monitoring"))


def test_a_pod_is_known_again_while_the_document_stays(cluster: Cluster) -> None:
    verifier, token = cluster.verifier(), cluster.issuer.token()
    proven = verifier.verify(token)

    assert verifier.remembered(token) == proven


def test_what_a_token_proved_is_forgotten_with_the_document_by_which_it_proved_it(cluster: Cluster) -> None:
    verifier, token = cluster.verifier(), cluster.issuer.token()
    verifier.verify(token)
    cluster.write(Workloads(namespaces={"acme-agents": Tenancy(tenant="acme", roles=("reader",))}))

    forgotten = verifier.remembered(token)

    assert forgotten is None
    assert verifier.verify(token).roles == {"reader"}


def test_a_namespace_that_changed_hands_is_of_its_new_tenant_at_once(cluster: Cluster) -> None:
    verifier, token = cluster.verifier(), cluster.issuer.token()
    verifier.verify(token)
    cluster.write(Workloads(namespaces={"acme-agents": Tenancy(tenant="globex")}))

    assert verifier.verify(token).tenant == "globex"


@pytest.mark.parametrize("broken", [BROKEN, "", "[" * 100_000, "ü" * 2_000_000, '{"format": 2}'])
def test_the_last_good_document_stays_in_force_and_the_failure_is_told(broken: str, cluster: Cluster) -> None:
    verifier, token = cluster.verifier(), cluster.issuer.token()
    verifier.verify(token)
    cluster.write(broken)

    caller = verifier.verify(token)

    assert caller.tenant == "acme"
    assert verifier.remembered(token) == caller
    assert verifier.notes()["workloads"]


def test_a_document_that_is_gone_stays_in_force(cluster: Cluster) -> None:
    verifier, token = cluster.verifier(), cluster.issuer.token()
    verifier.verify(token)
    cluster.document.unlink()

    assert verifier.verify(token).tenant == "acme"


def test_before_there_ever_was_a_good_document_no_workload_passes_and_people_do(cluster: Cluster) -> None:
    cluster.write(BROKEN)
    verifier = cluster.verifier()

    with pytest.raises(WorkloadsUnavailableError):
        verifier.verify(cluster.issuer.token())

    assert verifier.verify(cluster.people.token("acme", now=cluster.now)).tenant == "acme"


def test_a_document_that_was_mended_is_read_again(cluster: Cluster) -> None:
    cluster.write(BROKEN)
    verifier = cluster.verifier()
    told = dict(verifier.notes())
    cluster.write()

    assert verifier.verify(cluster.issuer.token()).tenant == "acme"
    assert (bool(told), dict(verifier.notes())) == (True, {})


def test_the_metrics_say_whether_the_document_is_in_force(tmp_path: Path) -> None:
    """A scrape looks at the file itself: nobody need ask anything for a broken document to be seen."""
    path = tmp_path / "workloads.json"
    path.write_text(WORKLOADS.document(), encoding="utf-8")
    registry = CollectorRegistry()
    WorkloadsMetrics(WorkloadsFile(path), registry)
    good = generate_latest(registry).decode()
    path.write_text(BROKEN, encoding="utf-8")

    bad = generate_latest(registry).decode()

    assert "aeterna_workloads_faulty 0.0" in good
    assert "aeterna_workloads_faulty 1.0" in bad
    assert "aeterna_workloads_namespaces 2.0" in bad


CLUSTER = {
    "workloads": "/etc/aeterna/workloads.json",
    "workload_issuer": "https://kubernetes.default.svc",
    "workload_jwks": "https://kubernetes.default.svc/openid/v1/jwks",
}
REFUSED = [
    ("a cluster without its keys", {"workload_jwks": None}),
    ("a cluster without its document", {"workloads": None}),
    ("a cluster whose issuer is people's", {"workload_issuer": "urn:people"}),
    ("keys over plain http", {"workload_jwks": "http://kubernetes.default.svc/openid/v1/jwks"}),
    ("a token for keys in a file", {"workload_jwks": "/keys", "workload_jwks_token_file": "/token"}),
]


@pytest.mark.parametrize("change", [change for _, change in REFUSED], ids=[name for name, _ in REFUSED])
def test_settings_that_would_prove_no_pod_are_refused(change: dict[str, str | None]) -> None:
    told = {"port": 0, "issuer": "urn:people", "jwks": "/jwks", "policy_url": "unix:/p", **CLUSTER, **change}

    with pytest.raises(ValidationError):
        ServiceSettings.model_validate(told)
