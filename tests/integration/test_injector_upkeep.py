"""Injectors that keep their own authority in a real cluster: rotated, killed, robbed of it and cut off."""

from __future__ import annotations

import base64
import json
import signal
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from aeterna.contracts.injection.names import CA_FILE, TRUST_CONFIG_MAP, WEBHOOK
from aeterna.contracts.injection.rights import AUTHORITY_SECRET, SERVICES, serving_secret
from aeterna.contracts.platform import FailurePolicy
from aeterna.injector.domain.authority import Authority, Generation
from aeterna.injector.domain.authority_document import KEY, written
from aeterna.injector.domain.certificates import new_authority, read_certificates
from fixtures.admission_stream import NAME, admissions, connections
from fixtures.kube_client import KubeRefusedError
from fixtures.pods_for_injection import AGENTS, PLATFORM, POLICY, pod
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.injector_processes import InjectorProcess, Injectors

pytestmark = [pytest.mark.needs("go", "etcd"), pytest.mark.timeout(1800)]


@pytest.fixture(autouse=True)
def _nothing_kept(injectors: Injectors) -> Iterator[None]:
    """Begin without an authority: what the injectors of a test kept is taken away after it."""
    yield
    for name in (AUTHORITY_SECRET, *map(serving_secret, SERVICES)):
        forget(injectors, "v1", "Secret", name)
    forget(injectors, "coordination.k8s.io/v1", "Lease", WEBHOOK)


def test_the_authority_rotates_under_a_stream_of_pods_and_nobody_notices(injectors: Injectors) -> None:
    """Every pod is injected, and every client that trusts what its namespace is told can connect, at every moment."""
    old = due_authority(injectors)
    with (
        injectors.start(TRUST_OVERLAP="2") as process,
        injectors.serving(process),
        injectors.registered(FailurePolicy.FAIL),
    ):
        wait_until(lambda: is_injected(injectors))
        with admissions(injectors).running() as pods, connections(injectors).running() as clients:
            wait_until(lambda: len(trusted(injectors)) == 2)

            wait_until(lambda: len(trusted(injectors)) == 1)

            (new,) = trusted(injectors)
            wait_until(lambda: bundle(injectors) == {new})
            before = pods.done
            wait_until(lambda: pods.done > before + 20)
        assert (pods.failures, clients.failures) == ([], [])
        assert new != old
        assert process.metric("aeterna_injector_authority_generations") == 1
        assert "PRIVATE KEY" not in process.log.read_text()


def test_a_replica_that_is_asked_to_stop_leaves_the_work_to_the_other(injectors: Injectors) -> None:
    with (
        injectors.start(DRAIN_DELAY="0.3") as first,
        injectors.start(DRAIN_DELAY="0.3") as second,
        injectors.serving(first, second),
        injectors.registered(FailurePolicy.FAIL),
    ):
        wait_until(lambda: first.is_ready() and second.is_ready() and is_injected(injectors))
        leading, other = (first, second) if leads(first) else (second, first)
        with admissions(injectors).running() as pods:
            wait_until(lambda: pods.done > 20)

            leading.terminate()

            wait_until(lambda: leads(other))
            before = pods.done
            wait_until(lambda: pods.done > before + 20)
    assert pods.failures == []


def test_a_replica_that_is_killed_is_missed_for_as_long_as_its_lease_lasts(injectors: Injectors) -> None:
    """Its connections break, so that a pod may have to be sent again; the next ones go to the other replica."""
    with (
        injectors.start() as first,
        injectors.start() as second,
        injectors.serving(first, second),
        injectors.registered(FailurePolicy.FAIL),
    ):
        wait_until(lambda: first.is_ready() and second.is_ready() and is_injected(injectors))
        leading, other = (first, second) if leads(first) else (second, first)

        leading.kill()

        wait_until(lambda: is_injected(injectors))
        wait_until(lambda: leads(other))
        assert is_injected(injectors)


def test_replicas_that_begin_together_make_one_authority(injectors: Injectors) -> None:
    with injectors.start() as first, injectors.start() as second, injectors.start() as third:
        wait_until(lambda: all(each.is_ready() for each in (first, second, third)))

        shown = {each.logged("certificate.shown")[-1]["fingerprint"] for each in (first, second, third)}

    assert len(shown) == 1
    assert len(generations(injectors)) == 1


@pytest.mark.parametrize(
    ("secret", "garbage"),
    [(AUTHORITY_SECRET, None), (serving_secret("injector"), {"tls.crt": "x", "tls.key": "y"})],
)
def test_a_secret_that_is_lost_is_made_anew_and_nobody_notices(
    secret: str, garbage: dict[str, str] | None, injectors: Injectors
) -> None:
    """The lost authority is trusted until nothing of it has been shown for the overlap."""
    with (
        injectors.start(TRUST_OVERLAP="2") as process,
        injectors.serving(process),
        injectors.registered(FailurePolicy.FAIL),
    ):
        wait_until(lambda: is_injected(injectors) and trusted(injectors))
        before = shown(process)
        with admissions(injectors).running() as pods, connections(injectors).running() as clients:
            if garbage is None:
                forget(injectors, "v1", "Secret", secret)
            else:
                overwrite(injectors, secret, garbage)

            wait_until(lambda: shown(process) != before)
            wait_until(lambda: len(generations(injectors)) == 1 and len(trusted(injectors)) == 1)
            count = pods.done
            wait_until(lambda: pods.done > count + 20)
    assert (pods.failures, clients.failures) == ([], [])


def test_an_injector_serves_on_while_the_api_server_is_away(injectors: Injectors) -> None:
    """The server is stopped in its tracks: it accepts connections and answers none."""
    with (
        injectors.start(CLUSTER_TIMEOUT="0.3") as process,
        injectors.serving(process),
        injectors.registered(FailurePolicy.FAIL),
    ):
        wait_until(lambda: is_injected(injectors))
        told = trust(injectors, AGENTS)["ca.crt"]
        server = injectors.cluster.processes[0]
        failed = 'aeterna_injector_upkeep_failures_total{code="injector.cluster_unavailable",part="lease"}'
        server.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: (process.metric(failed) or 0) > 2)
            answer = asked_directly(process, told)
        finally:
            server.send_signal(signal.SIGCONT)

        wait_until(lambda: is_injected(injectors))
    assert answer["response"]["allowed"]
    assert answer["response"]["patch"]


@pytest.mark.parametrize(("policy", "is_let_in"), [(FailurePolicy.FAIL, False), (FailurePolicy.IGNORE, True)])
def test_while_no_injector_answers_the_failure_policy_holds(
    policy: FailurePolicy, is_let_in: bool, injectors: Injectors
) -> None:
    with injectors.registered(policy), injectors.start() as process, injectors.serving(process):
        wait_until(lambda: is_injected(injectors))

        process.kill()

        answer = injectors.create(pod(POLICY))
    assert answer.is_success is is_let_in
    assert not answer.json().get("spec", {}).get("initContainers")


def test_a_pod_that_came_in_without_its_sidecars_is_reported_and_left_running(injectors: Injectors) -> None:
    missed = {**pod(POLICY), "metadata": {"name": "missed", "annotations": POLICY}}
    with injectors.registered(FailurePolicy.IGNORE):
        made = injectors.create(missed, dry=False).json()
    with injectors.start(LOOK_INTERVAL="0.3") as process:
        sample = f'aeterna_injector_missed_pods{{namespace="{AGENTS}",reason="SidecarsMissing"}}'
        wait_until(lambda: process.metric(sample) == 1 and events_about(injectors, "missed"))

    (event,) = events_about(injectors, "missed")
    assert (event["type"], event["reason"], event["count"]) == ("Warning", "SidecarsMissing", 1)
    found = injectors.cluster.client.read("v1", "Pod", "missed", namespace=AGENTS)
    assert (found["metadata"]["uid"], "deletionTimestamp" in found["metadata"]) == (made["metadata"]["uid"], False)
    injectors.cluster.client.delete(made, gracePeriodSeconds="0")


def test_every_namespace_that_is_injected_is_told_whom_to_trust(injectors: Injectors) -> None:
    with injectors.start() as process:
        wait_until(process.is_ready)

        new = injectors.cluster.namespace("new-agents", labels={"aeterna.io/injection": "enabled"})

        wait_until(lambda: trust(injectors, new))
        told = trust(injectors, new)
    assert set(told) == {"ca.crt", "bundle-keys.pem", "workloads.json", "workload-jwks.json"}
    assert json.loads(told["workloads.json"])["namespaces"] == {}
    assert json.loads(told["workload-jwks.json"])["keys"]
    assert told["ca.crt"] == trust(injectors, AGENTS)["ca.crt"] == trust(injectors, PLATFORM)["ca.crt"]


def due_authority(injectors: Injectors) -> str:
    """Write an authority that all have known for long and that is to be replaced; return its fingerprint."""
    begun = datetime.now(UTC) - timedelta(days=300)
    pair = new_authority(PLATFORM, now=begun, life=timedelta(days=365))
    generation = Generation(certificate=pair.certificate, key=pair.key, published=begun)
    overwrite(injectors, AUTHORITY_SECRET, {KEY: written(Authority(generations=(generation,)))})
    return pair.certificate.fingerprint


def overwrite(injectors: Injectors, name: str, entries: dict[str, str]) -> None:
    """Write a Secret as somebody else would."""
    data = {key: base64.b64encode(value.encode()).decode() for key, value in entries.items()}
    kind = "kubernetes.io/tls" if "tls.crt" in entries else "Opaque"
    metadata = {"name": name, "namespace": PLATFORM}
    injectors.cluster.client.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": data}
    )


def forget(injectors: Injectors, api_version: str, kind: str, name: str) -> None:
    """Delete an object of the platform's namespace, if it is there."""
    try:
        injectors.cluster.client.delete(
            {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": PLATFORM}}
        )
    except KubeRefusedError as exc:
        assert exc.status == 404  # noqa: PT017 - whatever else it says is a fault


def is_injected(injectors: Injectors) -> bool:
    """Tell whether a pod that asks for sidecars has them."""
    return bool(injectors.create(pod(POLICY)).json().get("spec", {}).get("initContainers"))


def asked_directly(process: InjectorProcess, trust: str) -> dict[str, Any]:
    """Return what a replica answers to the review of a pod that asks for sidecars."""
    resource = {"group": "", "version": "v1", "resource": "pods"}
    request = {"uid": "1", "operation": "CREATE", "resource": resource, "namespace": AGENTS, "object": pod(POLICY)}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    context = ssl.create_default_context(cadata=trust)
    with httpx.Client(verify=context, trust_env=False) as client:
        url = f"https://127.0.0.1:{process.port}/inject"
        return client.post(url, json=review, extensions={"sni_hostname": NAME}).raise_for_status().json()


def leads(process: InjectorProcess) -> bool:
    """Tell whether a replica leads."""
    return process.metric("aeterna_injector_leads") == 1


def shown(process: InjectorProcess) -> str:
    """Return the fingerprint of the certificate that a replica shows."""
    return process.logged("certificate.shown")[-1]["fingerprint"]


def generations(injectors: Injectors) -> list[Any]:
    """Return the generations of the authority, as its Secret holds them."""
    found = injectors.cluster.client.read("v1", "Secret", AUTHORITY_SECRET, namespace=PLATFORM)
    return json.loads(base64.b64decode(found["data"][KEY]))["generations"]


def trust(injectors: Injectors, namespace: str) -> dict[str, str]:
    """Return what a namespace is told; nothing while it is told nothing."""
    found = injectors.cluster.client.list("v1", "ConfigMap", namespace=namespace)
    told: list[dict[str, str]] = [each["data"] for each in found if each["metadata"]["name"] == TRUST_CONFIG_MAP]
    return told[0] if told else {}


def trusted(injectors: Injectors) -> set[str]:
    """Return the fingerprints of the authorities that agents trust."""
    told = trust(injectors, AGENTS).get(CA_FILE.rpartition("/")[2], "")
    return {each.fingerprint for each in read_certificates(told)} if told else set()


def bundle(injectors: Injectors) -> set[str]:
    """Return the fingerprints of the authorities that the API server trusts."""
    found = injectors.bundle()
    return {each.fingerprint for each in read_certificates(base64.b64decode(found).decode())} if found else set()


def events_about(injectors: Injectors, name: str) -> list[dict[str, Any]]:
    """Return the Events about a pod."""
    events = injectors.cluster.client.list("v1", "Event", namespace=AGENTS)
    return [each for each in events if each["involvedObject"]["name"] == name]
