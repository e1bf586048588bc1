"""What becomes of each pod of the table, as the patch says that the API server applies."""

from __future__ import annotations

import base64
from typing import Any

import jsonpatch
import orjson
import pytest

from aeterna.injector.api.review import answer, read
from aeterna.injector.domain.admission import Result
from aeterna.injector.domain.definition import Definition
from aeterna.injector.testing import FakeDefinitions
from aeterna.injector.usecases.admitting import Admitter
from fixtures.injected_pods import ROWS
from fixtures.pods_for_injection import WORKLOADS, Row, found, holds, installation


def review(row: Row, pod: dict[str, Any]) -> bytes:
    """Return the review that the API server sends."""
    request = {
        "uid": "6e9f",
        "operation": "CREATE",
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": row.namespace,
        "object": pod,
    }
    return orjson.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})


def reviewed(row: Row, pod: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the response, and the pod with its patch."""
    definition = Definition(installation=installation(row.policy), workloads=WORKLOADS)
    asked = read(review(row, pod))
    assert asked.request is not None
    admission = Admitter(FakeDefinitions(definition)).admit(asked.request)
    response = orjson.loads(answer(asked.uid, admission))["response"]
    patch = base64.b64decode(response["patch"]).decode() if "patch" in response else "[]"
    after: dict[str, Any] = jsonpatch.apply_patch(pod, patch)
    return response, after


@pytest.mark.parametrize("row", ROWS, ids=[row.sentence for row in ROWS])
def test_a_pod_of_the_table(row: Row) -> None:
    response, after = reviewed(row, row.pod)

    assert response["auditAnnotations"] == {"result": row.result.value, "reason": row.reason}
    assert {place: found(after, place) for place in row.then} == row.then
    assert response["allowed"] is (row.result is not Result.DENIED)
    assert holds(after, row.pod) if row.authored else after != row.pod
    told = [*response.get("warnings", []), response.get("status", {}).get("message", "")]
    assert any(row.says in each for each in told)


@pytest.mark.parametrize("row", ROWS, ids=[row.sentence for row in ROWS])
def test_a_pod_of_the_table_that_comes_again_is_not_touched(row: Row) -> None:
    """The API server asks again when another webhook changed the pod after us."""
    _, once = reviewed(row, row.pod)

    response, twice = reviewed(row, once)

    assert "patch" not in response
    assert twice == once
