"""What an app refuses, and in whose words."""

from __future__ import annotations

import pytest
from constructs import Construct, IConstruct

from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.synth._cdk import Aspects
from aeterna.synth.app import Annotations, TerraformOutput, TerraformStack
from aeterna.synth.aspects import Aspect, attach
from aeterna.synth.errors import SynthesisError
from aeterna.synth.tags import Tags
from aeterna.synth.testing import app, synthesized


class Boom(Aspect):
    def apply(self, node: IConstruct) -> None:
        raise LookupError(node.node.path)


def stack_of(scope: Construct, name: str = "main") -> TerraformStack:
    stack = TerraformStack(scope, name)
    AwsProvider(stack, "aws", region="eu-west-1")
    return stack


def test_an_aspect_of_an_app_is_refused_where_the_engine_would_ignore_it() -> None:
    with pytest.raises(SynthesisError, match="attach them to each stack"):
        attach(app(), Tags({"team": "graph"}))


def test_an_aspect_that_was_put_on_an_app_by_other_means_is_found_at_synthesis() -> None:
    root = app()
    stack = stack_of(root)
    Aspects.of(root).add(Tags({"team": "graph"}))

    with pytest.raises(SynthesisError, match="attach them to each stack"):
        synthesized(stack)


def test_what_an_aspect_raises_reaches_the_caller_with_its_own_type() -> None:
    """The engine would make a RuntimeError of it, with nothing but the text."""
    stack = stack_of(app())
    attach(stack, Boom())

    with pytest.raises(LookupError, match="main"):
        synthesized(stack)


def test_a_failed_validation_is_an_error_of_ours_with_the_engines_message() -> None:
    stack = TerraformStack(app(), "main")
    AwsVpc(stack, "Vpc", cidr_block="10.0.0.0/16")

    with pytest.raises(SynthesisError, match="without a matching provider"):
        synthesized(stack)


def test_an_error_annotation_stops_the_synthesis() -> None:
    stack = stack_of(app())
    Annotations.of(stack).add_error("one zone is not enough")

    with pytest.raises(SynthesisError, match="one zone is not enough"):
        synthesized(stack)


def test_tags_reach_every_resource_that_takes_them_and_leave_its_own() -> None:
    stack = stack_of(app())
    AwsVpc(stack, "Vpc", cidr_block="10.0.0.0/16", tags={"team": "network"})
    attach(stack, Tags({"team": "graph", "environment": "prod"}))

    assert synthesized(stack).only("aws_vpc")["tags"] == {"team": "network", "environment": "prod"}


def test_a_reference_into_another_stack_becomes_an_output_and_a_remote_state() -> None:
    root = app()
    network = stack_of(root, "network")
    vpc = AwsVpc(network, "Vpc", cidr_block="10.0.0.0/16")
    platform = stack_of(root, "platform")
    TerraformOutput(platform, "vpc", value=vpc.id)

    document = synthesized(platform)

    assert "cross-stack-output-aws_vpcVpcid" in document.outputs()["vpc"]["value"]
    assert document.addresses() == ("data.terraform_remote_state.cross-stack-reference-input-network",)


def test_stack_and_resource_ids_make_the_addresses() -> None:
    """They are a public contract: a changed address replaces what is behind it."""
    stack = stack_of(app())
    inner = Construct(stack, "Network")
    AwsVpc(inner, "Resource", cidr_block="10.0.0.0/16")

    assert synthesized(stack).addresses() == ("aws_vpc.Network_1C6012B5",)
