"""The webhook as the API server calls it: again after others, for Jobs' pods, and by namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aeterna.contracts.injection import names
from aeterna.contracts.platform import FailurePolicy
from fixtures.mesh_webhook import mesh_webhook
from fixtures.pods_for_injection import AGENTS, BOTH, POLICY, pod
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.injector_processes import InjectorProcess, Injectors

pytestmark = [pytest.mark.needs("go", "etcd"), pytest.mark.timeout(1800)]

NOTHING_EXCLUDED: dict[str, Any] = {"namespaceSelector": {"matchLabels": {names.INJECTION: "enabled"}}}


@pytest.fixture(scope="module")
def injector(injectors: Injectors) -> Iterator[InjectorProcess]:
    """Return an injector behind its Service."""
    with injectors.start() as process, injectors.serving(process):
        yield process


@pytest.fixture
def registered(injectors: Injectors, injector: InjectorProcess) -> Iterator[None]:
    """Register the webhook as the platform does, and wait until the API server calls it."""
    with injectors.registered(FailurePolicy.FAIL):
        wait_until(lambda: sidecars(injectors.create(pod(POLICY)).json()))
        yield


@pytest.mark.usefixtures("registered")
def test_a_pod_that_another_webhook_changed_after_us_is_whole_again(
    injectors: Injectors, another_webhook: None
) -> None:
    """It puts a container of its own in front and adds one that has none of our variables; we are asked again."""
    admitted = injectors.create(pod(BOTH)).json()

    assert sidecars(admitted)[:3] == ["aeterna-policy", "aeterna-secrets", "proxy"]
    for each in admitted["spec"]["containers"]:
        variables = {one["name"] for one in each["env"]}
        assert {"AETERNA_POLICY_URL", "AETERNA_SECRETS_URL"} <= variables


@pytest.mark.usefixtures("registered")
def test_a_jobs_pod_ends_though_its_sidecars_do_not(injectors: Injectors) -> None:
    """No controller runs here, so the pod is made as the controller makes it: from a template that the server took."""
    template = pod(BOTH, restartPolicy="Never")
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "work", "namespace": AGENTS},
        "spec": {"template": {"metadata": {"annotations": BOTH}, "spec": template["spec"]}},
    }
    made = injectors.cluster.client.create(job, dry=True)["spec"]["template"]
    metadata = {**made["metadata"], "generateName": "work-", "labels": {"batch.kubernetes.io/job-name": "work"}}

    admitted = injectors.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": made["spec"]}).json()

    assert sidecars(made) == []
    assert [each["restartPolicy"] for each in admitted["spec"]["initContainers"]] == ["Always", "Always"]
    assert [each["name"] for each in admitted["spec"]["containers"]] == ["app"]
    assert admitted["spec"]["restartPolicy"] == "Never"


@pytest.mark.usefixtures("registered")
def test_pods_of_other_namespaces_are_not_looked_at(injectors: Injectors, injector: InjectorProcess) -> None:
    plain = injectors.cluster.namespace("plain")
    asked = admissions(injector)

    admitted = injectors.create(pod(POLICY), plain)

    assert admitted.is_success
    assert sidecars(admitted.json()) == []
    assert admissions(injector) == asked


def test_a_selector_that_could_match_the_system_is_narrowed_and_told_of(
    injectors: Injectors, injector: InjectorProcess
) -> None:
    """Whoever labels kube-system must not lock its pods out, not even with a registration that would let him."""
    injectors.cluster.settle_namespace("kube-system", {names.INJECTION: "enabled"})
    with injectors.registered(FailurePolicy.FAIL, **NOTHING_EXCLUDED):
        exposed = "aeterna_injector_webhook_exposed_namespaces"

        wait_until(lambda: exposures(injectors) == {"kube-node-lease", "kube-public", "kube-system", "aeterna"})

        assert injector.logged("webhook.would_lock_out")
        wait_until(lambda: injector.metric(exposed) == 0)
        asked = admissions(injector)
        wait_until(lambda: sidecars(injectors.create(pod(POLICY)).json()))
        assert injectors.create(pod(POLICY), "kube-system").is_success
        assert admissions(injector) >= asked


@pytest.fixture
def another_webhook(injectors: Injectors) -> Iterator[None]:
    """Register a webhook that comes after ours: a service mesh's, say."""
    with mesh_webhook(injectors.cluster) as config, injectors.cluster.webhook("zz-mesh", config, AGENTS):
        yield


def sidecars(admitted: dict[str, Any]) -> list[str]:
    """Return the names of a pod's init containers."""
    return [each["name"] for each in admitted.get("spec", {}).get("initContainers", ())]


def admissions(injector: InjectorProcess) -> float:
    """Return how many pods the injector has been asked about."""
    return injector.metric("aeterna_injector_admission_seconds_count") or 0


def exposures(injectors: Injectors) -> set[str]:
    """Return the names that the registration's selector excludes."""
    kind = "MutatingWebhookConfiguration"
    found = injectors.cluster.client.read("admissionregistration.k8s.io/v1", kind, names.WEBHOOK)
    expressions = found["webhooks"][0]["namespaceSelector"].get("matchExpressions", [])
    return {value for each in expressions for value in each["values"]}
