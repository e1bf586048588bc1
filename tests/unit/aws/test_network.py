"""What a network on AWS is, read from what Terraform would be given."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.aws.endpoints import ENDPOINT_SERVICES
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.network import AwsNetwork
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.naming import NAME
from aeterna.contracts.network import Egress, NetworkSpec
from aeterna.synth import testing
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.testing import Document, Json, synthesized
from fixtures.iam_documents import statements, trust_of

NEEDED_BY_A_PRIVATE_CLUSTER = {
    "autoscaling",
    "ec2",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "elasticloadbalancing",
    "kms",
    "logs",
    "secretsmanager",
    "ssm",
    "sts",
}


def own_stack(id_: str = "networks") -> TerraformStack:
    stack = TerraformStack(testing.app(), id_)
    AwsProvider(stack, "aws", region="eu-west-1")
    return stack


def deployed(spec: NetworkSpec) -> Document:
    stack = own_stack()
    network = AwsNetwork(stack, "Network", spec)
    TerraformOutput(stack, "egress", value=list(network.outputs.egress_addresses))
    return synthesized(stack)


@pytest.fixture(scope="module")
def synthesis() -> Document:
    return deployed(NetworkSpec(name="prod"))


def subnets(document: Document, part: str) -> list[Json]:
    return [subnet for name, subnet in document.resources("aws_subnet").items() if part in name]


def endpoints(document: Document, kind: str) -> dict[str, Json]:
    return {
        endpoint["service_name"].rpartition("}.")[2]: endpoint
        for endpoint in document.resources("aws_vpc_endpoint").values()
        if endpoint["vpc_endpoint_type"] == kind
    }


def test_every_zone_leaves_through_its_own_gateway(synthesis: Document) -> None:
    """With one gateway for all, losing its zone would cut off every other."""
    gateways = synthesis.resources("aws_nat_gateway")
    ways_out = [
        route["nat_gateway_id"] for route in synthesis.resources("aws_route").values() if "nat_gateway_id" in route
    ]

    assert len(gateways) == 3
    assert len(set(ways_out)) == 3
    assert len({gateway["subnet_id"] for gateway in gateways.values()}) == 3
    assert len(synthesis.outputs()["egress"]["value"]) == 3


def test_zones_share_a_gateway_only_when_asked_to() -> None:
    document = deployed(NetworkSpec(name="dev", zones=2, egress=Egress.SHARED))

    ways_out = [route for route in document.resources("aws_route").values() if "nat_gateway_id" in route]

    assert len(document.resources("aws_nat_gateway")) == 1
    assert len(ways_out) == 2


def test_the_networks_own_security_group_lets_nothing_in_or_out(synthesis: Document) -> None:
    """AWS makes it open between its members, and puts into it whatever names no group of its own."""
    group = synthesis.only("aws_default_security_group")

    assert group["vpc_id"].startswith("${aws_vpc.")
    assert not {"ingress", "egress"} & group.keys()


def test_a_network_without_egress_has_no_public_part_at_all() -> None:
    document = deployed(NetworkSpec(name="sealed", egress=Egress.NONE))

    assert not document.resources("aws_internet_gateway")
    assert not document.resources("aws_nat_gateway")
    assert not document.resources("aws_route")
    assert len(document.resources("aws_subnet")) == 3
    assert document.outputs()["egress"]["value"] == []


def test_private_and_public_subnets_carry_the_tags_that_controllers_look_for(synthesis: Document) -> None:
    for subnet in subnets(synthesis, "Private"):
        assert subnet["tags"]["kubernetes.io/role/internal-elb"] == "1"
        assert subnet["tags"]["karpenter.sh/discovery"] == "prod"
    for subnet in subnets(synthesis, "Edge"):
        assert subnet["tags"]["kubernetes.io/role/elb"] == "1"


def test_nothing_gets_a_public_address_by_standing_in_a_subnet(synthesis: Document) -> None:
    assert {subnet["map_public_ip_on_launch"] for subnet in synthesis.resources("aws_subnet").values()} == {False}


def test_zones_are_named_by_id_and_never_one_without_eks(synthesis: Document) -> None:
    """A zone's name means another zone in every account; in some zones EKS places no control plane."""
    (zones,) = synthesis.data("aws_availability_zones").values()

    assert set(zones["exclude_zone_ids"]) == {"use1-az3", "usw1-az2", "cac1-az3"}
    assert all("zone_ids[" in subnet["availability_zone_id"] for subnet in synthesis.resources("aws_subnet").values())


def test_a_new_zone_of_the_region_does_not_move_the_subnets_that_exist(synthesis: Document) -> None:
    for subnet in synthesis.resources("aws_subnet").values():
        assert subnet["lifecycle"]["ignore_changes"] == ["availability_zone_id"]


def test_pinned_zones_are_used_as_they_are() -> None:
    document = deployed(NetworkSpec(name="prod", zones=2, zone_ids=("euw1-az1", "euw1-az3")))

    assert [subnet["availability_zone_id"] for subnet in subnets(document, "Private")] == ["euw1-az1", "euw1-az3"]
    assert not document.data("aws_availability_zones")


def test_a_pinned_zone_without_eks_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="use1-az3"):
        deployed(NetworkSpec(name="prod", zones=2, zone_ids=("use1-az1", "use1-az3")))


def test_a_private_cluster_finds_every_service_it_needs_inside_the_network(synthesis: Document) -> None:
    interfaces = endpoints(synthesis, "Interface")

    assert set(interfaces) >= NEEDED_BY_A_PRIVATE_CLUSTER
    for endpoint in interfaces.values():
        assert endpoint["private_dns_enabled"] is True
        assert len(endpoint["subnet_ids"]) == 3


def test_image_layers_come_through_the_gateway_of_s3_from_every_zone(synthesis: Document) -> None:
    gateways = endpoints(synthesis, "Gateway")

    assert set(gateways) == {"s3", "dynamodb"}
    assert len(gateways["s3"]["route_table_ids"]) == 3


def test_endpoints_answer_https_from_the_network_and_nothing_else(synthesis: Document) -> None:
    (rule,) = synthesis.resources("aws_vpc_security_group_ingress_rule").values()
    group = synthesis.only("aws_security_group")

    assert (rule["ip_protocol"], rule["from_port"], rule["to_port"]) == ("tcp", 443, 443)
    assert rule["cidr_ipv4"].endswith(".cidr_block}")
    assert not {"ingress", "egress"} & group.keys()


def test_a_network_of_any_name_gets_a_security_group_whose_name_ec2_takes() -> None:
    group = deployed(NetworkSpec(name="sg-west")).only("aws_security_group")

    assert not group["name_prefix"].startswith("sg-")


def test_a_customer_chooses_which_services_have_endpoints() -> None:
    stack = own_stack()
    AwsNetwork(stack, "Network", NetworkSpec(name="prod"), services=(*ENDPOINT_SERVICES, "bedrock-runtime"))

    assert "bedrock-runtime" in endpoints(synthesized(stack), "Interface")


def test_all_flows_are_kept_under_a_key_that_allows_this_log_group_alone(synthesis: Document) -> None:
    (group,) = synthesis.resources("aws_cloudwatch_log_group").values()
    (key,) = synthesis.resources("aws_kms_key")
    (grant,) = (found for found in statements(synthesis, of="aws_kms_key") if found.statement["Sid"] == "EncryptLogs")

    assert synthesis.only("aws_flow_log")["traffic_type"] == "ALL"
    assert group["kms_key_id"] == f"${{aws_kms_key.{key}.arn}}"
    assert group["retention_in_days"] == 90
    assert grant.conditions["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"][0].endswith(
        ":log-group:/aws/vpc/prod/flows"
    )


def test_flow_logs_may_find_every_log_group_and_write_to_their_own_alone(synthesis: Document) -> None:
    """A list of log groups is asked of all of them: allowed on one, it is refused, and no flow is ever delivered."""
    allowed = {
        action: found.statement["Resource"]
        for found in statements(synthesis, of="aws_iam_role_policy")
        if "FlowLogs_Role" in found.address
        for action in found.actions
    }

    assert [arn.rpartition(":log-group:")[2] for arn in allowed.pop("logs:DescribeLogGroups")] == ["*"]
    assert set(allowed) == {"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"}
    for resources in allowed.values():
        assert all("FlowLogs_LogGroup" in arn for arn in resources)


def test_only_flow_logs_of_this_account_may_take_the_delivery_role(synthesis: Document) -> None:
    trust = trust_of(synthesis, "FlowLogs_Role")

    assert trust["Principal"] == {"Service": ["vpc-flow-logs.amazonaws.com"]}
    assert trust["Condition"]["ArnLike"]["aws:SourceArn"][0].endswith(":vpc-flow-log/*")
    assert "aws:SourceAccount" in trust["Condition"]["StringEquals"]


def test_a_key_given_to_the_network_is_used_instead_of_one_of_its_own() -> None:
    stack = own_stack()
    key = AwsKey(stack, "Key", KeySpec(purpose="network"))
    AwsNetwork(stack, "Network", NetworkSpec(name="prod"), key=key)

    assert len(synthesized(stack).resources("aws_kms_key")) == 1


def test_days_that_the_log_service_does_not_offer_are_refused_with_the_next_that_it_does() -> None:
    with pytest.raises(InvalidSpecError, match="use 120 days"):
        deployed(NetworkSpec(name="prod", flow_log_days=100))


def test_an_existing_network_is_looked_up_and_its_subnets_inside_it() -> None:
    """A subnet of another network is then refused at plan, rather than a security group put into the wrong one."""
    stack = own_stack()
    network = AwsNetwork.existing(stack, "Network", vpc_id="vpc-1", private_subnet_ids=["subnet-1", "subnet-2"])
    TerraformOutput(stack, "vpc", value=network.vpc_id)

    document = synthesized(stack)

    (vpc,) = document.data("aws_vpc")
    assert not document.json.get("resource")
    assert document.outputs()["vpc"]["value"] == f"${{data.aws_vpc.{vpc}.id}}"
    assert {subnet["vpc_id"] for subnet in document.data("aws_subnet").values()} == {f"${{data.aws_vpc.{vpc}.id}}"}


@pytest.mark.parametrize(
    ("reason", "subnet_ids", "match"),
    [
        ("one zone for highly available stores", ["subnet-1"], "at least 2 zones"),
        ("the same subnet twice", ["subnet-1", "subnet-1"], "more than once"),
        ("a text, which is a sequence of letters", "subnet-1", "at least 2 zones"),
    ],
)
def test_existing_subnets_that_cannot_hold_the_stores_are_refused(
    reason: str, subnet_ids: list[str] | str, match: str
) -> None:
    with pytest.raises(InvalidSpecError, match=match):
        AwsNetwork.existing(own_stack(), "Network", vpc_id="vpc-1", private_subnet_ids=subnet_ids)


@settings(max_examples=10, deadline=None)
@given(
    name=st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= 27),
    cidr=st.integers(16, 20).map(lambda prefix: f"10.64.0.0/{prefix}"),
    zones=st.integers(2, 3),
)
def test_subnets_of_any_network_lie_in_it_apart_and_as_large_as_the_service_asks(
    name: str, cidr: str, zones: int
) -> None:
    document = deployed(NetworkSpec(name=name, cidr=cidr, zones=zones))

    blocks = [IPv4Network(subnet["cidr_block"]) for subnet in document.resources("aws_subnet").values()]
    assert len(blocks) == 2 * zones
    assert all(block.subnet_of(IPv4Network(cidr)) and 16 <= block.prefixlen <= 28 for block in blocks)
    assert not any(one.overlaps(other) for index, one in enumerate(blocks) for other in blocks[:index])
    assert all(len(role["name_prefix"]) <= 38 for role in document.resources("aws_iam_role").values())
