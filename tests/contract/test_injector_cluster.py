"""What a cluster owes the injector's upkeep: the fakes obey as a real API server does, with no more than its rights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.contracts.injection.names import INJECTION, WEBHOOK
from aeterna.injector.adapters.cluster_calls import connected
from aeterna.injector.adapters.cluster_keys import DiscoveredKeys
from aeterna.injector.adapters.cluster_lease import ClusterLeases
from aeterna.injector.adapters.cluster_objects import ClusterSecrets, ClusterTrustMaps
from aeterna.injector.adapters.cluster_pods import ClusterPods
from aeterna.injector.adapters.cluster_webhook import ClusterRegistrations
from aeterna.injector.domain.certificates import new_authority
from aeterna.injector.domain.lease import LeaseRecord
from aeterna.injector.domain.missed import MissedPod, PodSeen, Reason
from aeterna.injector.domain.registration import Hook, Registration, Requirement
from aeterna.injector.domain.stored import Stored
from aeterna.injector.errors import ClusterConflictError, ClusterUnavailableError
from aeterna.injector.ports import ClusterKeys, Leases, Pods, Registrations, Secrets, TrustMaps
from aeterna.injector.testing import (
    FakeCluster,
    FakeClusterKeys,
    FakeLeases,
    FakePods,
    FakeRegistrations,
    FakeSecrets,
    FakeTrustMaps,
)
from fixtures.injector_cluster import injectors_kubeconfig, injectors_token, unregister
from fixtures.kube_client import KubeClient, KubeRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fixtures.kube_cluster import KubeCluster

pytestmark = [pytest.mark.anyio]

NOW = datetime(2030, 1, 1, tzinfo=UTC)
REAL = pytest.param("real", marks=[pytest.mark.needs("go", "etcd"), pytest.mark.timeout(1800)])


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Every port over one cluster, and what other hands do in it."""

    secrets: Secrets
    maps: TrustMaps
    registrations: Registrations
    leases: Leases
    pods: Pods
    keys: ClusterKeys
    tenant: Callable[[], str]
    register: Callable[[Hook], None]
    run_pod: Callable[[str, str], str]


@pytest.fixture(params=["fake", REAL])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Return each implementation, over a cluster without anything of ours."""
    if request.param == "fake":
        yield fake_world()
        return
    cluster: KubeCluster = request.getfixturevalue("cluster")
    own = cluster.namespace("injector")
    connection = connected(injectors_kubeconfig(cluster, own, tmp_path), timeout=timedelta(seconds=10))
    try:
        yield World(
            secrets=ClusterSecrets(connection.objects, own),
            maps=ClusterTrustMaps(connection.objects),
            registrations=ClusterRegistrations(connection.objects),
            leases=ClusterLeases(connection.objects, own),
            pods=ClusterPods(connection.objects, now=lambda: NOW),
            keys=DiscoveredKeys(connection.http),
            tenant=lambda: cluster.namespace("tenant", labels={INJECTION: "enabled"}),
            register=lambda hook: registered(cluster, hook),
            run_pod=lambda namespace, name: running(cluster, namespace, name),
        )
    finally:
        await connection.close()
        unregister(cluster)


def fake_world() -> World:
    """Return the fakes over a cluster in memory."""
    cluster = FakeCluster()

    def tenant() -> str:
        cluster.injected.add("tenant-a")
        return "tenant-a"

    def register(hook: Hook) -> None:
        cluster.versions += 1
        cluster.registration = Registration(hooks=(hook,), version=str(cluster.versions))

    def run_pod(namespace: str, name: str) -> str:
        cluster.pods.append(PodSeen(namespace=namespace, name=name, uid="1", manifest={"metadata": {"name": name}}))
        return "1"

    return World(
        secrets=FakeSecrets(cluster),
        maps=FakeTrustMaps(cluster),
        registrations=FakeRegistrations(cluster),
        leases=FakeLeases(cluster),
        pods=FakePods(cluster),
        keys=FakeClusterKeys(cluster),
        tenant=tenant,
        register=register,
        run_pod=run_pod,
    )


def registered(cluster: KubeCluster, hook: Hook) -> None:
    """Register the webhook as the platform does, for nobody's pods."""
    expressions: list[dict[str, Any]] = [
        {"key": each.key, "operator": each.operator, "values": list(each.values)} for each in hook.requirements
    ]
    cluster.client.create(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": WEBHOOK},
            "webhooks": [
                {
                    "name": hook.name,
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "clientConfig": {"url": "https://127.0.0.1:1/inject"},
                    "failurePolicy": "Ignore",
                    "namespaceSelector": {"matchLabels": dict(hook.labels), "matchExpressions": expressions},
                    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["x"]}],
                }
            ],
        }
    )


def running(cluster: KubeCluster, namespace: str, name: str) -> str:
    """Make a pod, and return its uid."""
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]},
    }
    return cluster.client.create(pod)["metadata"]["uid"]


async def test_a_secret_that_is_not_there_is_nothing(world: World) -> None:
    assert await world.secrets.read("aeterna-authority") is None


@pytest.mark.parametrize("tls", [True, False])
async def test_a_secret_holds_what_was_written(world: World, tls: bool) -> None:
    entries = {"tls.crt": "certificate\n", "tls.key": "key", "ca.crt": "ü"}

    await world.secrets.write("aeterna-tls-threads", Stored(entries=entries), tls=tls)

    found = await world.secrets.read("aeterna-tls-threads")
    assert found is not None
    assert found.entries == entries


async def test_what_is_written_over_a_secret_is_all_that_it_holds(world: World) -> None:
    await world.secrets.write("aeterna-authority", Stored(entries={"garbage": "x"}), tls=False)
    found = await world.secrets.read("aeterna-authority")
    assert found is not None

    await world.secrets.write("aeterna-authority", found.holding({"authority.json": "{}"}), tls=False)

    after = await world.secrets.read("aeterna-authority")
    assert after is not None
    assert after.entries == {"authority.json": "{}"}


async def test_of_two_who_make_a_secret_one_is_told_that_he_was_late(world: World) -> None:
    await world.secrets.write("aeterna-authority", Stored(entries={"a": "1"}), tls=False)

    with pytest.raises(ClusterConflictError):
        await world.secrets.write("aeterna-authority", Stored(entries={"a": "2"}), tls=False)

    found = await world.secrets.read("aeterna-authority")
    assert found is not None
    assert found.entries == {"a": "1"}


async def test_of_two_who_change_a_secret_one_is_told_that_he_was_late(world: World) -> None:
    await world.secrets.write("aeterna-authority", Stored(entries={"a": "1"}), tls=False)
    read = await world.secrets.read("aeterna-authority")
    assert read is not None
    await world.secrets.write("aeterna-authority", read.holding({"a": "2"}), tls=False)

    with pytest.raises(ClusterConflictError):
        await world.secrets.write("aeterna-authority", read.holding({"a": "3"}), tls=False)

    found = await world.secrets.read("aeterna-authority")
    assert found is not None
    assert found.entries == {"a": "2"}


async def test_a_namespace_with_the_label_is_looked_at(world: World) -> None:
    name = world.tenant()

    assert name in await world.maps.injected()


async def test_trust_is_read_where_it_was_written(world: World) -> None:
    namespace = world.tenant()

    await world.maps.write(namespace, Stored(entries={"ca.crt": "one"}))

    assert (await world.maps.read_all())[namespace].entries == {"ca.crt": "one"}


async def test_trust_is_written_over_the_version_that_was_read_alone(world: World) -> None:
    namespace = world.tenant()
    await world.maps.write(namespace, Stored(entries={"ca.crt": "one", "strange": "x"}))
    read = (await world.maps.read_all())[namespace]
    await world.maps.write(namespace, read.holding({"ca.crt": "two"}))

    with pytest.raises(ClusterConflictError):
        await world.maps.write(namespace, read.holding({"ca.crt": "late"}))

    assert (await world.maps.read_all())[namespace].entries == {"ca.crt": "two"}


async def test_a_webhook_that_is_not_registered_is_nothing(world: World) -> None:
    assert await world.registrations.read() is None


async def test_the_webhooks_bundle_and_selector_are_kept_and_the_rest_is_left(world: World) -> None:
    hook = Hook(name="pods.aeterna.io", bundle="", labels=((INJECTION, "enabled"),))
    world.register(hook)
    read = await world.registrations.read()
    assert read is not None
    assert read.hooks == (hook,)

    bundle = new_authority("aeterna", now=NOW, life=timedelta(days=1)).certificate.pem
    changed = replace(hook, bundle=bundle, requirements=(Requirement(key="k", operator="NotIn", values=("a", "b")),))
    await world.registrations.write(replace(read, hooks=(changed,)))

    after = await world.registrations.read()
    assert after is not None
    assert after.hooks == (changed,)
    with pytest.raises(ClusterConflictError):
        await world.registrations.write(replace(read, hooks=(hook,)))


async def test_a_lease_that_nobody_held_is_nothing(world: World) -> None:
    assert await world.leases.read() is None


async def test_a_lease_is_held_by_who_wrote_it_last(world: World) -> None:
    record = LeaseRecord(holder="a", renewed=NOW + timedelta(microseconds=7), lasts=timedelta(seconds=15))
    await world.leases.write(record)
    read = await world.leases.read()
    assert read is not None
    assert replace(read, version=None) == record

    await world.leases.write(replace(read, holder="b", changes=1))

    taken = await world.leases.read()
    assert taken is not None
    assert (taken.holder, taken.changes) == ("b", 1)
    with pytest.raises(ClusterConflictError):
        await world.leases.write(read)


async def test_the_pods_of_a_namespace_are_seen_with_all_they_are(world: World) -> None:
    namespace = world.tenant()
    uid = world.run_pod(namespace, "agent")

    (pod,) = [each async for each in world.pods.of(namespace)]

    assert (pod.namespace, pod.name, pod.uid) == (namespace, "agent", uid)
    assert isinstance(pod.manifest["metadata"], dict)


async def test_a_pod_is_reported_once_for_each_reason(world: World) -> None:
    namespace = world.tenant()
    missing = MissedPod(namespace=namespace, name="agent", uid=world.run_pod(namespace, "agent"), reason=Reason.MISSING)

    told = [
        await world.pods.report(each) for each in (missing, missing, replace(missing, reason=Reason.OUTDATED), missing)
    ]

    assert told == [True, False, True, False]


async def test_the_clusters_keys_are_a_key_set(world: World) -> None:
    assert '"keys"' in await world.keys.read()


@pytest.mark.needs("go", "etcd")
async def test_an_api_that_is_away_is_unavailable(cluster: KubeCluster, tmp_path: Path) -> None:
    kubeconfig = injectors_kubeconfig(cluster, cluster.namespace("injector"), tmp_path)
    kubeconfig.write_text(kubeconfig.read_text().replace(cluster.url, "https://127.0.0.1:1"))
    connection = connected(kubeconfig, timeout=timedelta(seconds=1))

    with pytest.raises(ClusterUnavailableError):
        await ClusterSecrets(connection.objects, "aeterna").read("aeterna-authority")
    await connection.close()


@pytest.mark.needs("go", "etcd")
def test_no_other_config_map_or_secret_can_be_read(cluster: KubeCluster) -> None:
    """The right to list ConfigMaps is one to those of a single name, in every namespace."""
    own = cluster.namespace("injector")
    with cluster.as_bearer(injectors_token(cluster, own)) as client:
        refused = [
            refusal(client, "v1", kind, own, name)
            for kind, name in (("ConfigMap", "kube-root-ca.crt"), ("Secret", "aeterna-push-keys"), ("Pod", "x"))
        ]

    assert refused == [403, 403, 403]


def refusal(client: KubeClient, api_version: str, kind: str, namespace: str, name: str) -> int | None:
    """Return the status with which an object is not shown."""
    try:
        client.read(api_version, kind, name, namespace=namespace)
    except KubeRefusedError as exc:
        return exc.status
    return None
