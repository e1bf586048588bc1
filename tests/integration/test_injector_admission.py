"""The table of pods, admitted by a real API server that calls a real injector over TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aeterna.contracts.injection import names
from aeterna.contracts.platform import FailurePolicy
from aeterna.injector.domain.admission import Result
from fixtures.injected_pods import ROWS
from fixtures.injector_processes import OPEN, Injectors
from fixtures.pods_for_injection import AGENTS, Row, found, installation, pod
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from fixtures.injector_processes import Injectors

pytestmark = [pytest.mark.needs("go", "etcd"), pytest.mark.timeout(1800)]

MISSPELLED = pod({names.INJECT: "policies"})


@pytest.fixture(scope="module")
def admitting(injectors: Injectors) -> Iterator[Callable[[Row], httpx.Response]]:
    """Return what admits a row's pod under its failure policy."""
    with (
        injectors.start() as process,
        injectors.serving(process),
        injectors.registered(FailurePolicy.FAIL),
    ):
        in_force: list[FailurePolicy] = []

        def admit(row: Row) -> httpx.Response:
            if in_force != [row.policy]:
                injectors.installation.write_text(installation(row.policy).document())
                wait_until(lambda: obeys(injectors.create(MISSPELLED), row.policy))
                in_force[:] = [row.policy]
            namespace = row.namespace if row.restricted or row.namespace != AGENTS else OPEN
            return injectors.create(row.pod, namespace)

        yield admit


@pytest.mark.parametrize("row", ROWS, ids=[row.sentence for row in ROWS])
def test_a_pod_of_the_table_is_admitted_as_it_says(row: Row, admitting: Callable[[Row], httpx.Response]) -> None:
    answer = admitting(row)

    assert answer.is_success is (row.result is not Result.DENIED), answer.text
    told = [answer.headers.get("Warning", ""), answer.json().get("message", "")]
    assert any(row.says in each.replace('\\"', '"') for each in told)
    if answer.is_success:
        admitted = without_api_token(answer.json())
        assert {place: found(admitted, place) for place in row.then} == row.then


def obeys(answer: httpx.Response, policy: FailurePolicy) -> bool:
    """Tell whether the injector was asked, and has taken up the failure policy."""
    said = answer.headers.get("Warning", "") + answer.json().get("message", "")
    return names.INJECT in said and answer.is_success is (policy is FailurePolicy.IGNORE)


def without_api_token(admitted: dict[str, Any]) -> dict[str, Any]:
    """Return a pod without the volume that the API server itself adds for its token."""
    for each in (*admitted["spec"].get("initContainers", ()), *admitted["spec"]["containers"]):
        mounts: list[dict[str, Any]] = each.get("volumeMounts", [])
        each["volumeMounts"] = [mount for mount in mounts if not mount["name"].startswith("kube-api-access-")]
    return admitted
