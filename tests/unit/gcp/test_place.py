"""Where a stack on Google Cloud is applied, and what is switched on there."""

from __future__ import annotations

import pytest

from aeterna.contracts.errors import InvalidSpecError
from aeterna.gcp.agents import Agent, service_agent
from aeterna.gcp.l1.provider import GoogleProvider
from aeterna.gcp.place import GcpPlace
from aeterna.synth import testing
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.errors import SynthesisError
from aeterna.synth.l1.time.provider import TimeProvider
from aeterna.synth.testing import synthesized
from fixtures.gcp_ground import GroundStack
from fixtures.resource_graph import graph_of, needed_by


@pytest.mark.parametrize("region", ["eu-west-1", "westeurope", "europe-west4-a", "europe", "eur4", "EUROPE-WEST4", ""])
def test_what_is_no_region_of_google_cloud_is_refused(region: str) -> None:
    """Another cloud's region, a zone, a multi-region and a dual region: none of them holds a cluster."""
    stack = TerraformStack(testing.app(), "mistyped")

    with pytest.raises(InvalidSpecError, match="europe-west4"):
        GcpPlace(stack, "Place", region=region)


@pytest.mark.parametrize(
    "region", ["europe-west4", "europe-west12", "africa-south1", "me-central2", "northamerica-northeast1", "us-east5"]
)
def test_a_region_of_every_continent_is_taken(region: str) -> None:
    stack = TerraformStack(testing.app(), "anywhere")

    assert GcpPlace(stack, "Place", region=region).region == region


def test_a_service_is_switched_on_once_however_many_ask_for_it() -> None:
    stack = GroundStack()
    stack.place.service("sqladmin")
    stack.place.service("sqladmin")

    services = stack.document().resources("google_project_service").values()

    assert [each["service"] for each in services].count("sqladmin.googleapis.com") == 1


def test_no_service_is_switched_off_when_the_stack_is_destroyed() -> None:
    """Others in the project may use it, and switching it off deletes what they made."""
    services = GroundStack().document().resources("google_project_service").values()

    assert {each["disable_on_destroy"] for each in services} == {False}


def test_a_user_of_a_service_waits_until_it_answers() -> None:
    """A service says that it is on before it answers, and before its own account exists."""
    stack = GroundStack()
    document = stack.document()
    (ring,) = (f"google_kms_key_ring.{name}" for name in document.resources("google_kms_key_ring"))

    needed = needed_by(graph_of(document), ring)

    assert any(each.startswith("time_sleep.") for each in needed)
    assert any(each.startswith("google_project_service.") and "cloudkms" in each for each in needed)


def test_the_project_is_asked_of_the_provider_and_no_token_is_kept_in_the_state() -> None:
    """The data source of the client's configuration would be shorter, and puts an access token into the state."""
    document = GroundStack().document()

    assert document.data("google_project")
    assert not document.data("google_client_config")


def test_a_region_that_the_project_cannot_use_fails_when_it_is_planned() -> None:
    stack = GroundStack()
    TerraformOutput(stack, "region", value=stack.place.outputs.region)

    document = stack.document()

    assert "data.google_compute_zones." in document.outputs()["region"]["value"]


def test_zones_for_machine_learning_alone_are_passed_over() -> None:
    """They stand between the others in the alphabet, and hold neither a regional cluster nor a database."""
    stack = GroundStack()
    TerraformOutput(stack, "zone", value=stack.place.zone(1))

    assert 'regexall(\\"[a-z]+-[a-z]+[0-9]+-[a-z]/\\"' in stack.document().text


def test_a_zone_that_is_down_is_still_a_zone_of_the_region() -> None:
    """Left out during an outage, it would have the next apply move the nodes of three zones into others."""
    (zones,) = GroundStack().document().data("google_compute_zones").values()

    assert "status" not in zones


def test_the_place_of_a_stack_is_found_from_anywhere_in_it() -> None:
    stack = GroundStack()

    assert GcpPlace.of(stack.key) is stack.place


def test_a_stack_without_a_place_is_told_to_have_one() -> None:
    stack = TerraformStack(testing.app(), "bare")

    with pytest.raises(SynthesisError, match="bare"):
        GcpPlace.of(stack)


def test_an_account_of_a_service_belongs_to_the_project_by_its_number() -> None:
    stack = GroundStack()
    TerraformOutput(stack, "agent", value=service_agent(stack.place, Agent.CLOUD_SQL))

    agent = stack.document().outputs()["agent"]["value"]

    assert agent.startswith("serviceAccount:service-${data.google_project.")
    assert agent.endswith(".number}@gcp-sa-cloud-sql.iam.gserviceaccount.com")


def test_providers_of_no_cloud_that_the_customer_configured_are_left_alone() -> None:
    stack = TerraformStack(testing.app(), "own")
    GoogleProvider(stack, "google", region="europe-west4")
    TimeProvider(stack, "clock")
    GcpPlace(stack, "Place", region="europe-west4")

    assert len(synthesized(stack).json["provider"]["time"]) == 1
