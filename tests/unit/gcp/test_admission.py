"""Who reaches a store on Google Cloud, read from what Terraform would be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.registry import RegistrySpec
from aeterna.gcp.admission import Admission
from aeterna.gcp.registry import ArtifactRegistry
from fixtures.gcp_stack import GoogleStack, named

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

NODES = "prod-nodes@acme.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = GoogleStack()
    database = stack.database(DatabaseSpec(name="threads"))
    cache = stack.cache(CacheSpec(name="policy"))
    registry = ArtifactRegistry(stack, "Registry", RegistrySpec(name="acme"), place=stack.place, key=stack.key)
    Admission(stack, "Admission", cluster=stack.cluster(), reaches=[database, cache], pulls=[registry])
    return stack.document()


@pytest.fixture(scope="module")
def opened(synthesis: Document) -> list[Json]:
    return [rule for rule in synthesis.resources("google_compute_firewall").values() if "allow" in rule]


def test_the_clusters_nodes_reach_each_store_on_its_port_and_nothing_else_does(opened: list[Json]) -> None:
    assert {rule["allow"][0]["ports"][0] for rule in opened} == {"5432", "6379"}
    assert all(rule["target_service_accounts"] == [NODES] for rule in opened)
    assert all(rule["direction"] == "EGRESS" for rule in opened)


def test_what_is_opened_is_stronger_than_what_is_closed_and_no_wider(opened: list[Json], synthesis: Document) -> None:
    """The lower number wins."""
    closed = [rule for rule in synthesis.resources("google_compute_firewall").values() if "deny" in rule]

    assert max(rule["priority"] for rule in opened) < min(rule["priority"] for rule in closed)
    assert sorted(map(str, (rule["destination_ranges"] for rule in opened))) == sorted(
        map(str, (rule["destination_ranges"] for rule in closed))
    )


def test_the_clusters_nodes_may_pull_images_and_push_none(synthesis: Document) -> None:
    grant = named(synthesis.resources("google_artifact_registry_repository_iam_member"), "FromRegistry")

    assert grant["role"] == "roles/artifactregistry.reader"
    assert grant["member"] == f"serviceAccount:{NODES}"


def test_every_refusal_at_a_store_leaves_a_trace(synthesis: Document) -> None:
    rules = synthesis.resources("google_compute_firewall").values()

    assert all(rule["log_config"] for rule in rules if "deny" in rule)
