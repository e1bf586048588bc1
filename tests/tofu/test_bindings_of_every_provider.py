"""A resource of every bound provider, written by its bindings, is one that the provider's own schema admits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.aws.l1.default_security_group import AwsDefaultSecurityGroup
from aeterna.aws.l1.provider import AwsProvider
from aeterna.azure.l1.azuread.group import AzureadGroup
from aeterna.azure.l1.azuread.provider import AzureadProvider
from aeterna.azure.l1.provider import AzurermProvider
from aeterna.azure.l1.role_assignment import AzurermRoleAssignment
from aeterna.gcp.l1.compute_subnetwork import GoogleComputeSubnetwork
from aeterna.gcp.l1.provider import GoogleProvider
from aeterna.synth.app import TerraformStack
from aeterna.synth.l1.random.id import RandomId
from aeterna.synth.l1.random.provider import RandomProvider
from aeterna.synth.l1.time.provider import TimeProvider
from aeterna.synth.l1.time.sleep import TimeSleep
from aeterna.synth.testing import app, synthesized

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from constructs import Construct

    from fixtures.tofu_engine import Engine

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]


def aws(stack: Construct) -> None:
    AwsProvider(stack, "aws", region="eu-west-1")
    AwsDefaultSecurityGroup(stack, "Closed", vpc_id="vpc-1")


def google(stack: Construct) -> None:
    GoogleProvider(stack, "google", project="acme", region="europe-west4")
    GoogleComputeSubnetwork(
        stack,
        "Nodes",
        name="nodes",
        network="main",
        ip_cidr_range="10.0.0.0/20",
        description="Nodes of the cluster",
        secondary_ip_range=[{"range_name": "pods", "ip_cidr_range": "10.1.0.0/16"}],
        log_config={"flow_sampling": 0.5},
    )


def azurerm(stack: Construct) -> None:
    AzurermProvider(stack, "azurerm", features=[{}], subscription_id="00000000-0000-0000-0000-000000000000")
    AzurermRoleAssignment(
        stack, "Reader", scope_="/subscriptions/1", principal_id="p", description="Reads", role_definition_name="Reader"
    )


def azuread(stack: Construct) -> None:
    AzureadProvider(stack, "azuread")
    AzureadGroup(stack, "Admins", display_name="admins", description="Cluster admins", security_enabled=True)


def neutral(stack: Construct) -> None:
    RandomProvider(stack, "random")
    TimeProvider(stack, "time")
    suffix = RandomId(stack, "Suffix", byte_length=3)
    TimeSleep(stack, "Propagation", create_duration="30s", triggers={"suffix": suffix.hex})


@pytest.mark.parametrize("of_one", [aws, google, azurerm, azuread, neutral], ids=lambda build: build.__name__)
def test_a_resource_is_admitted_by_its_provider(
    tofu: Engine, tmp_path: Path, of_one: Callable[[Construct], None]
) -> None:
    stack = TerraformStack(app(), "main")
    of_one(stack)
    workspace = tofu.workspace(tmp_path, synthesized(stack).json)
    workspace.init()

    assert workspace.problems() == []
