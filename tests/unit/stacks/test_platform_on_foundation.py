"""The platform is one more stack of an environment, applied last, with a state of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.foundation import FoundationSpec
from aeterna.contracts.sizes import Size
from aeterna.contracts.state import StateSpec
from aeterna.gcp.cloud import GCP
from aeterna.stacks.foundation import PLATFORM_OUTPUT, Foundation
from aeterna.synth import testing
from fixtures.platform_sites import spec

FOUNDATION = FoundationSpec(name="prod", region="europe-west4", owner="acme", size=Size.DEV)
PLATFORM = spec(size=Size.DEV, registry="registry.example.com/aeterna")


def foundation(wanted: FoundationSpec = FOUNDATION) -> Foundation:
    return Foundation(testing.app(), "prod", cloud=GCP, spec=wanted, guarded=False)


def test_another_namespace_than_that_of_the_identities_is_refused() -> None:
    """Pods there would run as nobody: an identity is bound to one service account of one namespace."""
    with pytest.raises(InvalidSpecError, match="give both specs the same one"):
        foundation().platform(replace(PLATFORM, namespace="elsewhere"))


def test_it_reads_the_cluster_from_its_state_and_configures_no_cloud() -> None:
    made = foundation()
    made.platform(PLATFORM)

    document = testing.synthesized(made.stacks["platform"])

    assert set(document.json["provider"]) == {"kubernetes", "helm"}
    host = document.json["provider"]["kubernetes"][0]["host"]
    assert "data.terraform_remote_state.cross-stack-reference-input-prod-cluster" in host


def test_it_tells_where_its_services_are() -> None:
    made = foundation()
    made.platform(PLATFORM)

    told = testing.synthesized(made.stacks["platform"]).outputs()[PLATFORM_OUTPUT]["value"]

    assert told["version"] == 1
    assert told["graph_url"] == "https://graph-api.aeterna.svc:8081"
    assert told["tenants"] == {"acme-blue": "acme", "acme-green": "acme", "umbrella": "umbrella"}


def test_its_state_is_kept_where_the_others_are() -> None:
    made = foundation(replace(FOUNDATION, state=StateSpec(bucket="acme-state")))
    made.platform(PLATFORM)

    backend = testing.synthesized(made.stacks["platform"]).json["terraform"]["backend"]

    assert backend["gcs"]["bucket"] == "acme-state"
