"""The document of an installation is what the constructs write and the injector reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aeterna.contracts.injection import Installation, Resources, read_installation
from aeterna.contracts.injection.errors import InvalidInstallationError
from aeterna.contracts.platform import FailurePolicy
from fixtures.pods_for_injection import installation

FULL = installation(
    FailurePolicy.IGNORE,
    opal_url="http://opal-server.aeterna.svc:7002",
    seeded=False,
    otlp_endpoint="http://collector:4318",
    pod_labels={"azure.workload.identity/use": "true"},
    policy=Resources(cpu="1", memory="1Gi"),
)


@pytest.mark.parametrize("told", [installation(), FULL], ids=["least", "full"])
def test_an_installation_is_read_from_the_document_that_it_writes(told: Installation) -> None:
    assert read_installation(told.document()) == told


def test_the_document_of_the_same_installation_is_the_same() -> None:
    assert installation().document() == installation().document()


def changed(**values: object) -> dict[str, Any]:
    """Return a document with other values; ``...`` takes one away."""
    document: dict[str, Any] = json.loads(installation().document())
    document.update(values)
    return {name: value for name, value in document.items() if value is not ...}


WRONG: dict[str, tuple[object, str]] = {
    "format": (changed(format=2), "format: must be 1"),
    "unknown": (changed(registri="x"), "registri: is not known here"),
    "missing": (changed(registry=...), "registry: is missing"),
    "number": (changed(registry=7), "registry: is not a text"),
    "empty": (changed(registry=""), "registry: is not a text"),
    "policy": (changed(failure_policy="Maybe"), "failure_policy: is not one of Fail, Ignore"),
    "versions": (changed(versions=[1]), "versions: holds what is not a text"),
    "versions' list": (changed(versions="1.4.0"), "versions: is not a list"),
    "flag": (changed(seeded="no"), "seeded: is neither true nor false"),
    "labels": (changed(pod_labels={"a": 1}), "pod_labels: holds what is not a text"),
    "resources": (changed(policy="small"), "policy: is not an object"),
    "resources' name": (changed(policy={"gpu": "1"}), "policy.gpu: is not known here"),
    "resources' value": (changed(policy={"cpu": 1}), "policy.cpu: is not a text"),
    "resources' quantity": (changed(policy={"memory": "much"}), "memory: 'much' is no quantity above 0"),
    "number alone": (7, "the document: is not an object"),
}


@pytest.mark.parametrize(("document", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_document_is_refused_with_the_place(document: object, said: str) -> None:
    with pytest.raises(InvalidInstallationError) as refusal:
        read_installation(json.dumps(document))

    assert str(refusal.value) == said


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, b"\xff"], ids=["empty", "cut", "deep", "bytes"])
def test_what_is_not_json_is_no_installation(text: str | bytes) -> None:
    with pytest.raises(InvalidInstallationError, match="is not JSON"):
        read_installation(text)
