"""Any resource inside a construct can be reached, with its type."""

from __future__ import annotations

import pytest
from constructs import Construct

from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.subnet import AwsSubnet
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.synth.app import TerraformStack
from aeterna.synth.errors import ChildNotFoundError
from aeterna.synth.overrides import all_inside, inside
from aeterna.synth.testing import app, synthesized


class Network(Construct):
    """A construct with defaults of its own."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        vpc = AwsVpc(self, "Resource", cidr_block="10.0.0.0/16", enable_dns_support=True)
        zone = Construct(self, "ZoneA")
        AwsSubnet(zone, "Private", vpc_id=vpc.id)


@pytest.fixture
def network() -> Network:
    stack = TerraformStack(app(), "main")
    AwsProvider(stack, "aws", region="eu-west-1")
    return Network(stack, "Network")


def test_a_default_is_overridden_without_forking(network: Network) -> None:
    inside(network, AwsVpc).replace("enable_dns_support", value=False)

    assert synthesized(TerraformStack.of(network)).only("aws_vpc")["enable_dns_support"] is False


def test_a_deeper_resource_is_reached_by_its_path(network: Network) -> None:
    inside(network, AwsSubnet, "ZoneA/Private").replace("cidr_block", "10.0.1.0/24")

    assert synthesized(TerraformStack.of(network)).only("aws_subnet")["cidr_block"] == "10.0.1.0/24"


def test_every_resource_of_a_class_is_reached(network: Network) -> None:
    assert [subnet.node.id for subnet in all_inside(network, AwsSubnet)] == ["Private"]


def test_the_primary_resource_is_the_constructs_default_child(network: Network) -> None:
    """So that code which knows only the engine finds it too."""
    assert network.node.default_child is inside(network, AwsVpc)


def test_a_resource_that_is_not_there_is_an_error_that_lists_those_that_are(network: Network) -> None:
    with pytest.raises(ChildNotFoundError, match=r"Resource \(AwsVpc\), ZoneA/Private \(AwsSubnet\)"):
        inside(network, AwsSubnet, "ZoneB/Private")


def test_a_resource_of_another_class_is_an_error_too(network: Network) -> None:
    with pytest.raises(ChildNotFoundError, match="AwsSubnet at 'Resource'"):
        inside(network, AwsSubnet)
