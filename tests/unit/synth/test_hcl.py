"""HCL says the same as JSON, for those who have to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.aws.l1.data_availability_zones import DataAwsAvailabilityZones
from aeterna.aws.l1.eks_cluster import AwsEksCluster
from aeterna.aws.l1.iam_role import AwsIamRole
from aeterna.aws.l1.launch_template import AwsLaunchTemplate
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.synth import _cdk
from aeterna.synth.app import TerraformStack
from aeterna.synth.blocks import repeated
from aeterna.synth.testing import app

if TYPE_CHECKING:
    from constructs import Construct


def hcl(stack: TerraformStack) -> str:
    return "\n".join(line.strip() for line in _cdk.Testing.synth_hcl(stack).splitlines() if line.strip())


@pytest.fixture
def stack() -> TerraformStack:
    made = TerraformStack(app(), "main")
    AwsProvider(made, "aws", region="eu-west-1", default_tags=[{"tags": {"Team": "graph"}}])
    return made


def role(scope: Construct) -> AwsIamRole:
    return AwsIamRole(scope, "Role", name="nodes", assume_role_policy='{"Version":"2012-10-17"}')


def test_a_block_is_a_block_and_a_map_is_a_map(stack: TerraformStack) -> None:
    AwsEksCluster(
        stack,
        "Cluster",
        name="prod",
        role_arn=role(stack).arn,
        tags={"Team": "graph"},
        enabled_cluster_log_types=["api", "audit"],
        vpc_config={"subnet_ids": ["subnet-1"], "endpoint_public_access": False},
        encryption_config={"resources": ["secrets"], "provider": {"key_arn": "arn:key"}},
    )

    text = hcl(stack)

    assert 'vpc_config {\nsubnet_ids = [\n"subnet-1"\n]\nendpoint_public_access = false\n}' in text
    assert 'encryption_config {\nresources = [\n"secrets"\n]\nprovider {\nkey_arn = "arn:key"\n}\n}' in text
    assert 'tags = {\nTeam = "graph"\n}' in text
    assert 'role_arn = "${aws_iam_role.Role.arn}"' in text
    assert 'enabled_cluster_log_types = [\n"api",\n"audit"\n]' in text


def test_a_text_that_looks_like_json_stays_text(stack: TerraformStack) -> None:
    role(stack)

    assert r'assume_role_policy = "{\"Version\":\"2012-10-17\"}"' in hcl(stack)


def test_a_block_of_the_provider_is_a_block(stack: TerraformStack) -> None:
    AwsVpc(stack, "Vpc", cidr_block="10.0.0.0/16")

    assert 'default_tags {\ntags = {\nTeam = "graph"\n}\n}' in hcl(stack)


def test_a_repeated_block_is_dynamic(stack: TerraformStack) -> None:
    zones = DataAwsAvailabilityZones(stack, "Zones")
    AwsLaunchTemplate(
        stack,
        "Nodes",
        block_device_mappings=repeated(
            zones.names, lambda zone: {"device_name": zone.value, "ebs": {"encrypted": "true"}}
        ),
    )

    text = hcl(stack)

    assert 'dynamic "block_device_mappings" {\nfor_each = "${data.aws_availability_zones.Zones.names}"' in text
    assert 'content {\ndevice_name = "${each.value}"\nebs {\nencrypted = "true"\n}\n}' in text
