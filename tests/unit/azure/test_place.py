"""Where a stack stands on Azure, and what is no place of Azure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.azure.place import AzurePlace
from aeterna.azure.regions import PAIRS, WITHOUT_ZONAL_EGRESS, WITHOUT_ZONES, require_pair, require_region
from aeterna.azure.runners import allowed
from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.testing import app
from fixtures.azure_stack import AzureStack


@pytest.mark.parametrize(
    ("reason", "region", "match"),
    [
        ("another cloud's", "eu-west-1", "not a region of Azure"),
        ("another cloud's", "europe-west4", "not a region of Azure"),
        ("a display name", "westus9", "not a region of Azure"),
        ("a single zone", "westus", "no availability zones"),
        ("a single zone, and the pair of another", "ukwest", "no availability zones"),
    ],
)
def test_a_region_is_refused_when_it_is(reason: str, region: str, match: str) -> None:
    with pytest.raises(InvalidSpecError, match=match):
        require_region("AzurePlace", "location", region)


def test_every_pair_is_a_region_and_never_its_own() -> None:
    known = {*PAIRS, *WITHOUT_ZONES}

    assert {pair for pair in PAIRS.values() if pair is not None} <= known
    assert not [region for region, pair in PAIRS.items() if region == pair]


def test_a_region_that_is_said_to_lack_something_is_one_that_can_be_used() -> None:
    assert set(PAIRS) >= WITHOUT_ZONAL_EGRESS


def test_a_region_without_a_pair_is_refused_with_the_remedy_given() -> None:
    with pytest.raises(InvalidSpecError, match="use a region that has one"):
        require_pair("BlobReplica", "source", "polandcentral", "use a region that has one")


@pytest.mark.parametrize("name", ["ends.", "sp ace", "a" * 91, ""])
def test_a_name_that_no_resource_group_can_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidSpecError, match="not the name of a resource group"):
        AzurePlace(AzureStack(), "Other", location="westeurope", name=name)


def test_the_place_of_a_scope_is_the_nearest_one_above_it() -> None:
    stack = AzureStack()

    assert AzurePlace.of(stack.network) is stack.place


def test_a_stack_that_stands_nowhere_is_told_to_make_a_place() -> None:
    with pytest.raises(InvalidSpecError, match="make an AzurePlace"):
        AzurePlace.of(TerraformStack(app(), "nowhere"))


def test_what_a_place_tells_is_what_azure_says_of_it() -> None:
    """A value that was only copied from the spec would let whoever uses it run before the group is there."""
    stack = AzureStack()
    TerraformOutput(stack, "place", value=[stack.place.outputs.account, stack.place.outputs.region])

    account, region = stack.document().outputs()["place"]["value"]

    assert "data.azurerm_client_config" in account
    assert "azurerm_resource_group" in region


def test_an_existing_group_is_looked_up_and_not_made() -> None:
    stack = AzureStack()
    AzurePlace.existing(stack, "Shared", location="westeurope", name="shared")

    document = stack.document()

    assert len(document.resources("azurerm_resource_group")) == 1
    assert {group["name"] for group in document.data("azurerm_resource_group").values()} == {"shared"}


def test_a_single_address_is_written_bare_and_a_block_as_it_is() -> None:
    """Storage accounts refuse an address with /32 after it."""
    assert allowed("Azure", ["8.8.8.8/32", "8.8.4.0/24"]) == ("8.8.8.8", "8.8.4.0/24")


@pytest.mark.parametrize(
    ("reason", "block", "match"),
    [
        ("no firewall on the internet ever sees it", "10.0.0.0/16", "not public"),
        ("storage accounts take none so small", "8.8.8.8/31", "as small as"),
        ("it is no block", "office", "not an IPv4 block"),
    ],
)
def test_a_runners_address_is_refused_when(reason: str, block: str, match: str) -> None:
    with pytest.raises(InvalidSpecError, match=match):
        allowed("Azure", [block])


@given(st.sampled_from(sorted(PAIRS)))
def test_every_region_with_zones_is_taken(region: str) -> None:
    require_region("AzurePlace", "location", region)
