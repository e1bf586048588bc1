"""Every argument and attribute that a binding offers arrives in Terraform's JSON as it was meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from aeterna.aws.l1.data_availability_zones import DataAwsAvailabilityZones
from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.eip import AwsEip
from aeterna.aws.l1.eks_cluster import AwsEksCluster
from aeterna.aws.l1.launch_template import AwsLaunchTemplate
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.subnet import AwsSubnet
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.aws.l1.wafv2_ip_set import AwsWafv2IpSet
from aeterna.synth.app import App, TerraformOutput, TerraformStack
from aeterna.synth.blocks import repeated
from aeterna.synth.errors import LogicalIdFixedError, UnknownArgumentError, UnrepresentableValueError
from aeterna.synth.expressions import Fn, TerraformCount, TerraformIterator, as_list, as_number, as_text
from aeterna.synth.lifecycle import Lifecycle, Precondition, address
from aeterna.synth.testing import app, synthesized

if TYPE_CHECKING:
    from aeterna.synth.testing import Document


@pytest.fixture
def stack() -> TerraformStack:
    made = TerraformStack(app(), "main")
    AwsProvider(made, "aws", region="eu-west-1")
    return made


def vpc_of(stack: TerraformStack) -> AwsVpc:
    return AwsVpc(stack, "Vpc", cidr_block="10.0.0.0/16")


def cluster_of(stack: TerraformStack) -> AwsEksCluster:
    return AwsEksCluster(stack, "Cluster", name="prod", role_arn="arn:x", vpc_config={"subnet_ids": ["subnet-1"]})


def subnet(document: Document) -> dict[str, object]:
    found: dict[str, object] = document.only("aws_subnet")
    return found


def test_only_given_arguments_are_written(stack: TerraformStack) -> None:
    vpc_of(stack)

    assert synthesized(stack).only("aws_vpc") == {"cidr_block": "10.0.0.0/16"}


def test_the_provider_is_required_by_its_short_source_and_the_versions_that_have_the_schema(
    stack: TerraformStack,
) -> None:
    document = synthesized(stack)

    assert document.json["terraform"]["required_providers"] == {
        "aws": {"source": "hashicorp/aws", "version": "~> 6.69"}
    }


def test_a_provider_with_an_alias_is_asked_for_by_it(stack: TerraformStack) -> None:
    """The engine's own property keeps no alias."""
    recovery = AwsProvider(stack, "recovery", region="eu-central-1", alias="recovery")
    AwsVpc(stack, "Vpc", cidr_block="10.0.0.0/16", provider=recovery)

    document = synthesized(stack)

    assert document.json["provider"]["aws"][1] == {"alias": "recovery", "region": "eu-central-1"}
    assert document.only("aws_vpc")["provider"] == "aws.recovery"


def test_an_alias_may_be_set_later(stack: TerraformStack) -> None:
    recovery = AwsProvider(stack, "recovery", region="eu-central-1")
    recovery.alias = "later"

    assert synthesized(stack).json["provider"]["aws"][1]["alias"] == "later"


def test_an_attribute_of_a_resource_is_a_reference_to_it(stack: TerraformStack) -> None:
    AwsSubnet(stack, "Subnet", vpc_id=vpc_of(stack).id)

    assert subnet(synthesized(stack)) == {"vpc_id": "${aws_vpc.Vpc.id}"}


def test_a_reference_may_stand_inside_a_string(stack: TerraformStack) -> None:
    AwsSubnet(stack, "Subnet", vpc_id=f"<{vpc_of(stack).id}>")

    assert subnet(synthesized(stack)) == {"vpc_id": "<${aws_vpc.Vpc.id}>"}


def test_a_nested_attribute_is_walked_to(stack: TerraformStack) -> None:
    """Where the pods are: the group that the service makes, not one that we pass to it."""
    cluster = cluster_of(stack)
    AwsSubnet(stack, "Subnet", vpc_id=cluster.vpc_config[0].cluster_security_group_id)

    assert subnet(synthesized(stack)) == {
        "vpc_id": "${aws_eks_cluster.Cluster.vpc_config[0].cluster_security_group_id}"
    }


def test_a_nested_attribute_has_typed_forms(stack: TerraformStack) -> None:
    cluster = cluster_of(stack)
    config = cluster.vpc_config[0]
    TerraformOutput(stack, "text", value=f"{as_text(cluster.identity[0].oidc[0].issuer)}/keys")
    TerraformOutput(stack, "list", value=Fn.join(",", as_list(config.subnet_ids)))
    TerraformOutput(stack, "number", value=as_number(config.some_number))

    assert {name: output["value"] for name, output in synthesized(stack).outputs().items()} == {
        "text": "${aws_eks_cluster.Cluster.identity[0].oidc[0].issuer}/keys",
        "list": '${join(",", aws_eks_cluster.Cluster.vpc_config[0].subnet_ids)}',
        "number": "${aws_eks_cluster.Cluster.vpc_config[0].some_number}",
    }


def test_what_is_known_only_at_apply_has_no_length(stack: TerraformStack) -> None:
    with pytest.raises(TypeError, match="only at apply"):
        list(cluster_of(stack).vpc_config)


def test_a_list_attribute_is_indexed_by_a_function(stack: TerraformStack) -> None:
    zones = DataAwsAvailabilityZones(stack, "Zones", state="available")
    AwsSubnet(stack, "Subnet", vpc_id="vpc-1", availability_zone=Fn.element(zones.names, 0))

    written = subnet(synthesized(stack))["availability_zone"]

    assert written == "${element(data.aws_availability_zones.Zones.names, 0)}"


def test_a_number_attribute_stays_a_number(stack: TerraformStack) -> None:
    database = AwsDbInstance(stack, "Database", instance_class="db.t4g.small")
    TerraformOutput(stack, "port", value=database.port)

    assert synthesized(stack).outputs()["port"]["value"] == "${aws_db_instance.Database.port}"


def test_an_argument_that_is_called_like_a_constructors_own_keeps_terraforms_name(stack: TerraformStack) -> None:
    AwsWafv2IpSet(stack, "Allowed", name="allowed", scope_="REGIONAL", ip_address_version="IPV4")

    assert synthesized(stack).only("aws_wafv2_ip_set")["scope"] == "REGIONAL"


def test_a_resource_per_element(stack: TerraformStack) -> None:
    zones = TerraformIterator.from_list(["a", "b"])
    AwsSubnet(stack, "Subnet", vpc_id="vpc-1", availability_zone=zones.value, for_each=zones)

    written = subnet(synthesized(stack))

    assert written == {"vpc_id": "vpc-1", "availability_zone": "${each.value}", "for_each": '${toset(["a", "b"])}'}


def test_a_number_of_resources(stack: TerraformStack) -> None:
    AwsEip(stack, "Address", domain="vpc", count=TerraformCount.of(3))

    assert synthesized(stack).only("aws_eip") == {"domain": "vpc", "count": 3}


def test_a_block_per_element_of_what_is_known_only_at_apply(stack: TerraformStack) -> None:
    zones = DataAwsAvailabilityZones(stack, "Zones")
    AwsLaunchTemplate(
        stack,
        "Nodes",
        block_device_mappings=repeated(
            Fn.toset(zones.names), lambda zone: {"device_name": f"/dev/{zone.value}", "ebs": {"encrypted": "true"}}
        ),
    )

    written = synthesized(stack).only("aws_launch_template")

    assert written["dynamic"]["block_device_mappings"] == {
        "for_each": "${toset(data.aws_availability_zones.Zones.names)}",
        "iterator": "each",
        "content": {"device_name": "/dev/${each.value}", "ebs": {"encrypted": "true"}},
    }


def test_the_engines_own_dynamic_is_refused_in_the_place_of_a_block(stack: TerraformStack) -> None:
    """It would be written as an expression, and Terraform would refuse it only at validation."""
    disks = TerraformIterator.from_list(["/dev/sda", "/dev/sdb"])

    with pytest.raises(UnrepresentableValueError, match="repeated"):
        AwsLaunchTemplate(
            stack, "Nodes", block_device_mappings=cast("Any", disks.dynamic({"device_name": disks.value}))
        )


def test_depends_on_names_the_other_resource(stack: TerraformStack) -> None:
    AwsSubnet(stack, "Subnet", vpc_id="vpc-1", depends_on=[vpc_of(stack)])

    assert subnet(synthesized(stack))["depends_on"] == ["aws_vpc.Vpc"]


def test_a_lifecycle_names_resources_by_address(stack: TerraformStack) -> None:
    """The engine renders a resource there as "${...}", which Terraform refuses."""
    cluster = cluster_of(stack)
    AwsSubnet(
        stack,
        "Subnet",
        vpc_id="vpc-1",
        lifecycle=Lifecycle(
            create_before_destroy=True,
            ignore_changes=["tags"],
            replace_triggered_by=[vpc_of(stack), cluster.vpc_config[0].vpc_id, "aws_eip.a.id"],
            precondition=[Precondition(condition="${var.zones > 1}", error_message="two zones at least")],
        ),
    )

    assert subnet(synthesized(stack))["lifecycle"] == {
        "create_before_destroy": True,
        "ignore_changes": ["tags"],
        "replace_triggered_by": ["aws_vpc.Vpc", "aws_eks_cluster.Cluster.vpc_config[0].vpc_id", "aws_eip.a.id"],
        "precondition": [{"condition": "${var.zones > 1}", "error_message": "two zones at least"}],
    }


def test_a_lifecycle_can_say_what_only_opentofu_knows(stack: TerraformStack) -> None:
    AwsSubnet(stack, "Subnet", vpc_id="vpc-1", lifecycle=Lifecycle(destroy=False))

    assert subnet(synthesized(stack))["lifecycle"] == {"destroy": False}


def test_a_lifecycle_does_not_say_what_opentofu_could_not_read(stack: TerraformStack) -> None:
    """It takes an expression here from its own language, and asks for "a bool" when the same stands in JSON."""
    with pytest.raises(UnrepresentableValueError, match="protected"):
        Lifecycle(prevent_destroy=cast("Any", cluster_of(stack).deletion_protection))


def test_an_argument_is_replaced_whole(stack: TerraformStack) -> None:
    cluster = AwsEksCluster(
        stack, "Cluster", name="prod", role_arn="r", enabled_cluster_log_types=["api"], vpc_config={"subnet_ids": ["s"]}
    )
    cluster.replace("enabled_cluster_log_types", ["audit"])

    assert synthesized(stack).only("aws_eks_cluster")["enabled_cluster_log_types"] == ["audit"]


def test_an_override_reaches_anything_but_appends_to_a_list(stack: TerraformStack) -> None:
    """The engine's own way; the reason why ``replace`` exists."""
    cluster = AwsEksCluster(
        stack, "Cluster", name="prod", role_arn="r", enabled_cluster_log_types=["api"], vpc_config={"subnet_ids": ["s"]}
    )
    cluster.add_override("enabled_cluster_log_types", ["audit"])
    cluster.add_override("vpc_config.new_in_the_provider", 1)

    written = synthesized(stack).only("aws_eks_cluster")

    assert written["enabled_cluster_log_types"] == ["api", "audit"]
    assert written["vpc_config"] == {"subnet_ids": ["s"], "new_in_the_provider": 1}


def test_an_argument_can_be_handed_back_to_the_provider(stack: TerraformStack) -> None:
    vpc = AwsVpc(stack, "Vpc", cidr_block="10.0.0.0/16", enable_dns_support=True)
    vpc.replace("enable_dns_support", None)

    assert synthesized(stack).only("aws_vpc") == {"cidr_block": "10.0.0.0/16"}


def test_an_argument_that_does_not_exist_is_refused_with_those_that_do(stack: TerraformStack) -> None:
    with pytest.raises(UnknownArgumentError, match="cidr_block"):
        vpc_of(stack).replace("cidr", "10.0.0.0/16")


def test_a_resource_can_keep_the_address_that_it_had(stack: TerraformStack) -> None:
    vpc = vpc_of(stack)
    vpc.override_logical_id("main")
    AwsSubnet(stack, "Subnet", vpc_id=vpc.id)

    document = synthesized(stack)

    assert list(document.resources("aws_vpc")) == ["main"]
    assert subnet(document) == {"vpc_id": "${aws_vpc.main.id}"}


def test_an_address_that_was_used_cannot_be_changed_any_more(stack: TerraformStack) -> None:
    """The engine would go on with the old one and say nothing."""
    vpc = vpc_of(stack)
    AwsSubnet(stack, "Subnet", vpc_id=vpc.id)

    with pytest.raises(LogicalIdFixedError, match=r"aws_vpc\.Vpc"):
        vpc.override_logical_id("main")


@pytest.fixture
def unchecked(tmp_path: Path) -> TerraformStack:
    """Return a stack that is not validated: for a move, the engine would ask a terraform that need not be there."""
    return TerraformStack(App(outdir=str(tmp_path), skip_validation=True), "main")


def test_a_moved_resource_is_moved_and_not_replaced(unchecked: TerraformStack) -> None:
    vpc = vpc_of(unchecked)
    vpc.move_from_id("aws_vpc.old")

    assert synthesized(unchecked).json["moved"] == [{"from": "aws_vpc.old", "to": "aws_vpc.Vpc"}]


def test_a_resource_is_moved_to_a_target(unchecked: TerraformStack) -> None:
    vpc_of(unchecked).add_move_target("network")
    AwsVpc(unchecked, "Old", cidr_block="10.0.0.0/16").move_to("network")

    document = synthesized(unchecked)

    assert document.json["moved"] == [{"from": "aws_vpc.Old", "to": "aws_vpc.Vpc"}]
    assert list(document.resources("aws_vpc")) == ["Vpc"]


def test_the_address_of_a_resource_stands_without_braces(stack: TerraformStack) -> None:
    assert (address(vpc_of(stack)), address("${aws_vpc.Vpc.id}")) == ("aws_vpc.Vpc", "aws_vpc.Vpc.id")


def test_an_override_takes_what_an_argument_takes(stack: TerraformStack) -> None:
    cluster = cluster_of(stack)
    vpc = vpc_of(stack)
    vpc.add_override("tags", {"cluster": cluster.identity[0].oidc[0].issuer, "zones": Path("a"), "none": None})

    written = synthesized(stack).only("aws_vpc")["tags"]

    assert written == {"cluster": "${aws_eks_cluster.Cluster.identity[0].oidc[0].issuer}", "zones": "a"}


def test_an_output_takes_what_an_argument_takes(stack: TerraformStack) -> None:
    cluster = cluster_of(stack)
    TerraformOutput(stack, "issuer", value={"issuer": cluster.identity[0].oidc[0].issuer}, sensitive=True)

    written = synthesized(stack).outputs()["issuer"]

    assert written == {"value": {"issuer": "${aws_eks_cluster.Cluster.identity[0].oidc[0].issuer}"}, "sensitive": True}


def test_an_output_refuses_what_an_argument_refuses(stack: TerraformStack) -> None:
    database = AwsDbInstance(stack, "Database", instance_class="db.t4g.small")

    with pytest.raises(UnrepresentableValueError, match=r"output\.url"):
        TerraformOutput(stack, "url", value=f"postgres://x:{database.port}")
