"""AWS as a cloud: what it says of itself, and what may be chosen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.aws.cloud import AWS, Aws
from aeterna.aws.identity import Mechanism
from aeterna.contracts.cluster import ClusterSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.identity import IdentitySpec
from aeterna.contracts.network import NetworkSpec
from aeterna.contracts.parity import Capability
from aeterna.synth import testing
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.testing import synthesized
from fixtures.customer_stack import CustomerStack

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

SPEC = IdentitySpec(name="graph-api", namespace="aeterna", service_account="graph-api")


def identity_of(cloud: Aws) -> Document:
    stack = CustomerStack()
    cluster = cloud.cluster(stack, "Cluster", ClusterSpec(name="prod"), network=stack.network, key=stack.key)
    cloud.identity(stack, "GraphApi", SPEC, cluster=cluster)
    return stack.document()


def test_the_place_is_what_the_provider_reports_and_not_what_was_written_down() -> None:
    stack = TerraformStack(testing.app(), "place")
    place = AWS.prepare(stack, region="eu-west-1", tags={})
    TerraformOutput(stack, "account", value=place.outputs.account)
    TerraformOutput(stack, "region", value=place.outputs.region)

    outputs = synthesized(stack).outputs()

    assert outputs["account"]["value"].startswith("${data.aws_caller_identity.")
    assert outputs["region"]["value"].startswith("${data.aws_region.")


def test_every_capability_is_promised_or_declared_missing_once() -> None:
    assert set(AWS.parity) == set(Capability)


def test_pods_may_prove_who_they_are_by_tokens_of_their_cluster_where_there_is_no_agent() -> None:
    by_token = identity_of(Aws(mechanism=Mechanism.SIGNED_BY_CLUSTER))

    assert by_token.resources("aws_iam_openid_connect_provider")
    assert not identity_of(Aws()).resources("aws_iam_openid_connect_provider")


@pytest.mark.parametrize("region", ["europe-west1", "eu-west-1a", "us-gov-west-1"])
def test_what_is_no_region_of_the_commercial_cloud_is_refused(region: str) -> None:
    with pytest.raises(InvalidSpecError, match="not a region of AWS"):
        AWS.prepare(TerraformStack(testing.app(), "place"), region=region, tags={})


def test_three_zones_of_a_region_that_has_two_are_refused() -> None:
    """The plan would ask for the third element of a list of two, which names neither the region nor the remedy."""
    stack = CustomerStack(region="us-west-1")

    with pytest.raises(InvalidSpecError, match="use zones=2"):
        AWS.network(stack, "New", NetworkSpec(name="prod"), key=stack.key)


def test_two_zones_of_such_a_region_are_taken() -> None:
    stack = CustomerStack(region="us-west-1")
    AWS.network(stack, "New", NetworkSpec(name="prod", zones=2), key=stack.key)

    private = [each for each in stack.document().resources("aws_subnet") if "Private" in each]
    assert len(private) == 2
