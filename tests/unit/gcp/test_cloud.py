"""What Google Cloud is as a cloud: its provider, its labels, and the protocol that it keeps."""

from __future__ import annotations

import pytest

from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.network import NetworkSpec
from aeterna.gcp.cloud import GCP, Gcp
from aeterna.gcp.keys import GcpKey
from aeterna.gcp.labels import KEY, VALUE, labels
from aeterna.gcp.network import GcpNetwork
from aeterna.synth import testing
from aeterna.synth.app import TerraformStack
from aeterna.synth.registry import cloud
from aeterna.synth.testing import Json, synthesized
from fixtures.gcp_stack import KEY as KEY_ID


def provider(of: Gcp, **tags: str) -> Json:
    stack = TerraformStack(testing.app(), "stack")
    of.prepare(stack, region="europe-west4", tags=tags)
    (configured,) = synthesized(stack).json["provider"]["google"]
    return configured


def test_the_cloud_is_found_by_its_name() -> None:
    assert cloud("gcp") is GCP


def test_a_persons_own_credentials_are_taken_by_every_service() -> None:
    """Some refuse credentials that no project is named for."""
    configured = provider(Gcp("acme"))

    assert configured["user_project_override"] is True
    assert configured["project"] == configured["billing_project"] == "acme"


def test_without_a_project_it_is_the_one_of_the_environment() -> None:
    assert "project" not in provider(Gcp())


def test_tags_become_labels_that_google_takes() -> None:
    written = labels({"aeterna:environment": "prod", "example.com/team": "graph"})

    assert written == {"aeterna_environment": "prod", "example_com_team": "graph"}
    assert all(KEY.fullmatch(key) and VALUE.fullmatch(value) for key, value in written.items())


@pytest.mark.parametrize(
    "tags",
    [{"Owner": "graph"}, {"owner": "Graph Team"}, {"a:b": "1", "a.b": "2"}, {"9lives": "cat"}, {"owner": "x" * 64}],
)
def test_what_cannot_be_a_label_is_refused_rather_than_changed(tags: dict[str, str]) -> None:
    with pytest.raises(InvalidSpecError) as refused:
        labels(tags)

    assert refused.value.field == "tags"


def test_labels_reach_what_the_provider_does_not_put_them_onto() -> None:
    """Its default labels stop at databases, whose own are settings of the server."""
    stack = TerraformStack(testing.app(), "stack")
    place = Gcp().prepare(stack, region="europe-west4", tags={"aeterna:environment": "prod"})
    key = GcpKey.existing(stack, "Key", key_id=KEY_ID.format(region="europe-west4"))
    network = GcpNetwork(stack, "Network", NetworkSpec(name="prod"), place=place, key=key)
    GCP.database(stack, "Database", DatabaseSpec(name="threads"), network=network, key=key)

    server = synthesized(stack).only("google_sql_database_instance")

    assert server["settings"]["user_labels"] == {"aeterna_environment": "prod"}


@pytest.mark.parametrize("region", ["eu-west-1", "westeurope", "europe-west4-a", "eu"])
def test_a_region_of_another_cloud_is_refused(region: str) -> None:
    stack = TerraformStack(testing.app(), "stack")

    with pytest.raises(InvalidSpecError):
        Gcp().prepare(stack, region=region, tags={})
