"""What a foundation refuses before anything is written, and what it says then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.aws.cloud import AWS
from aeterna.aws.cluster import EksCluster
from aeterna.aws.keys import AwsKey
from aeterna.aws.network import AwsNetwork
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.foundation import FoundationSpec
from aeterna.contracts.network import NetworkSpec
from aeterna.contracts.sizes import Size
from aeterna.stacks.foundation import Foundation, compose
from aeterna.stacks.layers import Given
from aeterna.synth.app import App, TerraformStack
from aeterna.synth.rules.suppression import Suppression

if TYPE_CHECKING:
    from collections.abc import Callable

REGION = "eu-west-1"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"


SPEC = FoundationSpec(name="prod", region=REGION, owner="acme")


def network(stack: TerraformStack) -> AwsNetwork:
    return AwsNetwork.existing(stack, "Network", vpc_id="vpc-1", private_subnet_ids=["subnet-1", "subnet-2"])


@pytest.mark.parametrize("path", ["prod-eux-data/Database", "aws_db_instance.Database"])
def test_a_suppression_of_no_stack_is_refused_because_nothing_else_would_tell(path: str) -> None:
    """A misspelt stack, or Terraform's address, belongs to no stack of a foundation."""
    lost = Suppression(rule="tagged", path=path, reason="it is not ours", until=date(2027, 6, 30))

    with pytest.raises(InvalidSpecError, match="prod-eu-data") as refusal:
        Foundation(App(), "prod-eu", cloud=AWS, spec=SPEC, suppressions=[lost])

    assert refusal.value.field == "suppressions"


def test_a_region_of_another_cloud_is_refused_with_the_stack_that_it_is_for() -> None:
    """Two regions are given to a critical environment; the refusal says which."""
    elsewhere = replace(SPEC, size=Size.CRITICAL, recovery_region="europe-west4")

    with pytest.raises(InvalidSpecError, match="prod-eu-recovery"):
        Foundation(App(), "prod-eu", cloud=AWS, spec=elsewhere)


def test_an_id_that_cannot_name_a_folder_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="prod eu"):
        Foundation(App(), "prod eu", cloud=AWS, spec=SPEC)


def misspelt(stack: TerraformStack) -> Given[Any, Any, Any, Any]:
    return Given(keys={"databse": AwsKey.existing(stack, "Key", key_arn=KEY)})


def a_network(stack: TerraformStack) -> Given[Any, Any, Any, Any]:
    return Given(network=network(stack))


def a_cluster_alone(stack: TerraformStack) -> Given[Any, Any, Any, Any]:
    return Given(cluster=EksCluster.existing(stack, "Cluster", name="shared"))


@pytest.mark.parametrize(
    ("field", "given", "spec"),
    [
        ("keys", misspelt, SPEC),
        ("network", a_network, replace(SPEC, network=NetworkSpec(name="own"))),
        ("network", a_cluster_alone, SPEC),
    ],
    ids=["a key for a purpose that there is not", "a network and a spec for one", "a cluster without its network"],
)
def test_what_would_be_given_for_nothing_is_refused(
    field: str, given: Callable[[TerraformStack], Given[Any, Any, Any, Any]], spec: FoundationSpec
) -> None:
    stack = TerraformStack(App(), "mine")
    place = AWS.prepare(stack, region=REGION, tags={})

    with pytest.raises(InvalidSpecError) as refusal:
        compose(stack, AWS, spec, place=place, given=given(stack))

    assert (refusal.value.spec, refusal.value.field) == ("Given", field)
