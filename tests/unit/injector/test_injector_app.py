"""Whatever is sent to the webhook gets an answer that the failure policy would give, and never a 500."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from aeterna.contracts.injection import names
from aeterna.contracts.platform import FailurePolicy
from aeterna.injector.api.problem import STATUSES
from aeterna.injector.domain.definition import Definition
from aeterna.injector.main import build
from aeterna.injector.main.entry import probed
from aeterna.injector.settings import InjectorSettings
from aeterna.injector.testing import FakeDefinitions
from aeterna.service.lifecycle import Drain
from aeterna.service.metrics import new_registry
from aeterna.service.problem import without_status
from fixtures.pods_for_injection import AGENTS, BOTH, POLICY, WORKLOADS, container, installation, pod

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from prometheus_client import CollectorRegistry

    from aeterna.injector.api.app import InjectorApp


pytestmark = pytest.mark.anyio


class Webhook:
    """An application over a definition that a test has in its hands, and its metrics."""

    def __init__(self, policy: FailurePolicy = FailurePolicy.FAIL, **more: Any) -> None:  # noqa: ANN401 - settings
        self.definitions = FakeDefinitions(Definition(installation=installation(policy), workloads=WORKLOADS))
        self.registry: CollectorRegistry = new_registry()
        drain = Drain()
        rest = probed(self.definitions, registry=self.registry, drain=drain)
        self.app: InjectorApp = build(
            InjectorSettings(**more), definitions=self.definitions, registry=self.registry, drain=drain, rest=rest
        )

    def direct(self, body: bytes) -> dict[str, Any] | None:
        """Return the response that is given without waiting, or None where the usual way has to be gone."""
        answered = self.app.direct(b"/inject?timeout=10s", [], body)
        if answered is None:
            return None
        response: dict[str, Any] = orjson.loads(answered[1])["response"]
        return response

    async def post(self, body: bytes | AsyncIterator[bytes], path: str = "/inject?timeout=10s") -> httpx.Response:
        """Send a body the usual way."""
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://injector") as client:
            return await client.post(path, content=body)

    def counted(self) -> dict[tuple[str, str], float]:
        """Return how many pods became what, and why."""
        return {
            (sample.labels["result"], sample.labels["reason"]): sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == "aeterna_injector_admissions_total" and sample.value
        }


def review(subject: object = None, **request: object) -> dict[str, Any]:
    """Return a review of a pod."""
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "operation": "CREATE",
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": AGENTS,
            "object": pod(POLICY) if subject is None else subject,
            **request,
        },
    }


async def test_the_fast_way_and_the_usual_way_give_the_same_answer() -> None:
    webhook, body = Webhook(), orjson.dumps(review())

    usual = await webhook.post(body)

    assert usual.json()["response"] == webhook.direct(body)
    assert webhook.counted() == {("injected", "asked"): 2.0}


async def test_a_review_is_answered_with_its_id_and_a_patch() -> None:
    answer = (await Webhook().post(orjson.dumps(review(uid="7")))).json()

    assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    assert (answer["response"]["uid"], answer["response"]["patchType"]) == ("7", "JSONPatch")


async def test_a_dry_run_is_answered_as_any_other() -> None:
    """Nothing is ever changed but the pod that is answered, so there is nothing to leave out."""
    webhook = Webhook()

    assert webhook.direct(orjson.dumps(review(dryRun=True))) == webhook.direct(orjson.dumps(review()))


NOT_PODS: dict[str, dict[str, object]] = {
    "an update": {"operation": "UPDATE"},
    "a deletion": {"operation": "DELETE", "object": None},
    "another resource": {"resource": {"group": "apps", "version": "v1", "resource": "deployments"}},
    "a part of a pod": {"subResource": "ephemeralcontainers"},
}


@pytest.mark.parametrize("request_", NOT_PODS.values(), ids=NOT_PODS)
def test_what_is_no_new_pod_is_let_through(request_: dict[str, object]) -> None:
    response = Webhook().direct(orjson.dumps(review(**request_)))

    assert response is not None
    assert response["allowed"]
    assert response["auditAnnotations"] == {"result": "left_alone", "reason": "not_a_pod"}


WITH_ID: dict[str, dict[str, Any]] = {
    "an older version": {**review(), "apiVersion": "admission.k8s.io/v1beta1"},
    "another kind": {**review(), "kind": "ConversionReview"},
    "no object": review(object=None),
    "no namespace": review(namespace=""),
    "a pod that is none": review({"metadata": {"annotations": POLICY}, "spec": {"containers": "no"}}),
}


@pytest.mark.parametrize("policy", FailurePolicy)
@pytest.mark.parametrize("document", WITH_ID.values(), ids=WITH_ID)
def test_a_malformed_review_with_an_id_is_answered_as_the_failure_policy_says(
    document: dict[str, Any], policy: FailurePolicy
) -> None:
    webhook = Webhook(policy)

    response = webhook.direct(orjson.dumps(document))

    assert response is not None
    assert response["uid"] == document["request"]["uid"]
    assert response["allowed"] is (policy is FailurePolicy.IGNORE)
    assert "malformed" in response["status"]["message"]
    assert [result for result, _ in webhook.counted()] == ["denied" if policy is FailurePolicy.FAIL else "unchanged"]


WITHOUT_ID = {
    "nothing": b"",
    "no JSON": b'{"apiVersion": "admission.k8s.io/v1"',
    "a list": b"[]",
    "no request": b"{}",
    "no id": orjson.dumps(review(uid=None)),
    "an endless id": orjson.dumps(review(uid="x" * 1000)),
    "deep nesting": b"[" * 100_000,
    "not Unicode": b'{"request": {"uid": "\xff"}}',
}


@pytest.mark.parametrize("body", WITHOUT_ID.values(), ids=WITHOUT_ID)
async def test_a_review_without_an_id_is_a_failed_call_to_which_the_server_does_what_the_policy_says(
    body: bytes,
) -> None:
    webhook = Webhook()

    answer = await webhook.post(body)

    assert webhook.direct(body) is None
    assert (answer.status_code, answer.json()["code"]) == (400, "injector.review_malformed")
    assert webhook.counted() == {("denied", "injector.review_malformed"): 1.0}


async def test_a_body_that_is_larger_than_any_pod_is_refused() -> None:
    webhook = Webhook(max_body_bytes=1000)

    answer = await webhook.post(b" " * 1001)

    assert webhook.direct(b" " * 1001) is None
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")
    assert webhook.counted() == {("denied", "request.too_large"): 1.0}


async def test_large_reviews_are_read_a_few_at_a_time_and_small_ones_beside_them() -> None:
    """A hundred pods of 3 MB, made at once by whoever may make pods, would otherwise be in memory together."""
    webhook, body, asked = Webhook(), orjson.dumps(review()), asyncio.Event()
    go, reading = asyncio.Event(), 0

    async def slowly() -> AsyncIterator[bytes]:
        nonlocal reading
        reading += 1
        if reading == 4:
            asked.set()
        await go.wait()
        yield body

    async def large() -> httpx.Response:
        return await webhook.post(slowly())

    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(large()) for _ in range(9)]
        await asked.wait()
        small = await webhook.post(body)
        before = reading
        go.set()

    assert (small.status_code, before) == (200, 4)
    assert {each.result().status_code for each in answers} == {200}


@pytest.mark.parametrize("policy", FailurePolicy)
def test_a_pod_whose_patch_cannot_be_written_is_answered_as_the_failure_policy_says(policy: FailurePolicy) -> None:
    deep: dict[str, object] = {}
    for _ in range(400):
        deep = {"deep": deep}
    subject = pod({**POLICY, names.STATUS: "injected"})
    subject["spec"]["initContainers"] = [{"name": "twice", "deep": deep}, {"name": "twice"}]

    with capture_logs():
        # orjson reads deeper than it writes.
        response = Webhook(policy).direct(json.dumps(review(subject)).encode())

    assert response is not None
    assert response["allowed"] is (policy is FailurePolicy.IGNORE)


class FailingDefinitions(FakeDefinitions):
    """Has a definition in which something is missing that nobody thought of."""

    def current(self) -> Definition:
        """Return one whose workloads are none."""
        whole = super().current()
        broken: Any = None
        return Definition(installation=whole.installation, workloads=broken)


@pytest.mark.parametrize("policy", FailurePolicy)
def test_what_nobody_foresaw_is_answered_as_the_failure_policy_says(policy: FailurePolicy) -> None:
    webhook = Webhook(policy)
    definitions = FailingDefinitions(webhook.definitions.definition)
    drain, registry = Drain(), new_registry()
    rest = probed(definitions, registry=registry, drain=drain)
    webhook.app = build(InjectorSettings(), definitions=definitions, registry=registry, drain=drain, rest=rest)

    response = webhook.direct(orjson.dumps(review()))

    assert response is not None
    assert response["allowed"] is (policy is FailurePolicy.IGNORE)
    assert response["status"]["message"].startswith("injector.admission_failed: ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PLACES = st.sampled_from(
    [
        *("metadata", "metadata/annotations", "metadata/annotations/aeterna.io~1inject", "metadata/labels", "spec"),
        *("spec/containers", "spec/containers/0", "spec/containers/0/env", "spec/containers/0/volumeMounts"),
        *("spec/containers/0/ports", "spec/containers/0/name", "spec/initContainers", "spec/volumes"),
        *("spec/securityContext", "spec/hostNetwork", "spec/os", "spec/nodeSelector"),
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=PLACES, value=JSON)
def test_whatever_a_pod_is_it_gets_an_answer_that_was_foreseen(place: str, value: object) -> None:
    subject = pod(BOTH)
    *folders, last = place.split("/")
    inside: Any = subject
    for folder in folders:
        inside = inside[int(folder) if folder.isdigit() else folder]
    inside[int(last) if last.isdigit() else last.replace("~1", "/")] = value

    response = Webhook().direct(orjson.dumps(review(subject)))

    assert response is not None
    assert response["auditAnnotations"]["reason"] != "injector.admission_failed"


async def test_probes_and_metrics_are_answered_and_nothing_else() -> None:
    webhook = Webhook()
    transport = httpx.ASGITransport(app=webhook.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://injector") as client:
        statuses = {path: (await client.get(path)).status_code for path in ("/live", "/ready", "/inject", "/x")}

    assert statuses == {"/live": 200, "/ready": 200, "/inject": 405, "/x": 404}


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", "kube-node-lease", "aeterna"])
def test_no_pod_that_the_cluster_or_the_platform_lives_by_is_ever_kept_out(namespace: str) -> None:
    """Not even by a selector that somebody got wrong: whatever such a pod says, it comes in as it is."""
    misspelled = pod({"aeterna.io/injct": "policy"})

    response = Webhook().direct(orjson.dumps(review(misspelled, namespace=namespace)))

    assert response is not None
    assert response["allowed"]
    assert "patch" not in response


def test_nothing_of_what_a_pod_holds_is_logged_or_measured_but_what_it_is_refused_for() -> None:
    """Authors write passwords into variables, whatever we tell them."""
    canary = "hunter2-canary"
    holding = pod({"aeterna.io/injct": "policy"}, container(env=[{"name": "PASSWORD", "value": canary}], args=[canary]))
    webhook = Webhook()

    with capture_logs() as logged:
        response = webhook.direct(orjson.dumps(review(holding)))

    assert [each["reason"] for each in logged] == ["injection.unknown_annotation"]
    assert canary not in f"{logged}{response}{generate_latest(webhook.registry).decode()}"


def test_a_message_to_an_author_is_no_longer_than_kubernetes_shows() -> None:
    webhook = Webhook(FailurePolicy.IGNORE)

    response = webhook.direct(orjson.dumps(review(pod({names.INJECT: "x" * 9999}))))

    assert response is not None
    assert len(response["warnings"][0]) <= 256


def test_a_new_definition_is_injected_into_the_next_pod() -> None:
    webhook = Webhook()
    body = orjson.dumps(review())
    first, again = webhook.direct(body), webhook.direct(body)
    webhook.definitions.definition = Definition(installation=installation(version="2.0.0"), workloads=WORKLOADS)

    assert first == again
    assert webhook.direct(body) != first


def test_every_error_has_a_status() -> None:
    assert without_status("aeterna.injector", STATUSES) == set()
