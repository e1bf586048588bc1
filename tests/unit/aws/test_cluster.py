"""What an EKS cluster is, read from what Terraform would be given."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aeterna.aws.cluster import LONGEST_CLUSTER_NAME, EksCluster
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.network import AwsNetwork
from aeterna.aws.nodes import ARM_IMAGE, INTEL_IMAGE, image
from aeterna.contracts.cluster import ClusterSpec, NodePoolSpec, Taint, TaintEffect
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.naming import LONGEST_NAME, NAME
from aeterna.contracts.network import NetworkSpec
from aeterna.synth import testing
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.testing import Document, Json, synthesized
from fixtures.customer_stack import CustomerStack
from fixtures.iam_documents import statements, trust_of

SPEC = ClusterSpec(
    name="prod",
    administrators=("arn:aws:iam::111122223333:role/platform",),
    api_clients=("10.9.0.0/24",),
    pools=(
        NodePoolSpec(name="general"),
        NodePoolSpec(
            name="batch",
            machines=("c7i.4xlarge",),
            fewest=1,
            most=4,
            labels={"work": "batch"},
            taints=(Taint(key="work", value="batch", effect=TaintEffect.NO_EXECUTE),),
        ),
    ),
)
LONGEST_POOL = NodePoolSpec(name="p" * 12)
ROLE_PREFIX = re.compile(r"[\w+=,.@-]{1,38}")
GROUP_PREFIX = re.compile(r"[a-z0-9][a-z0-9-]{0,36}")


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = TerraformStack(testing.app(), "clusters")
    AwsProvider(stack, "aws", region="eu-west-1")
    network = AwsNetwork(stack, "Network", NetworkSpec(name="prod"))
    key = AwsKey(stack, "Key", KeySpec(purpose="cluster"))
    cluster = EksCluster(stack, "Cluster", SPEC, network=network, key=key)
    TerraformOutput(stack, "clients", value=cluster.client_security_group_id)
    return synthesized(stack)


@pytest.fixture(scope="module")
def plane(synthesis: Document) -> Json:
    return synthesis.only("aws_eks_cluster")


@pytest.fixture(scope="module")
def addons(synthesis: Document) -> dict[str, Json]:
    return {addon["addon_name"]: addon for addon in synthesis.resources("aws_eks_addon").values()}


def nodes_of(synthesis: Document, pool: str) -> Json:
    (group,) = (
        arguments for name, arguments in synthesis.resources("aws_eks_node_group").items() if f"Pool-{pool}" in name
    )
    return group


def key_arn(synthesis: Document) -> str:
    (name,) = (name for name in synthesis.resources("aws_kms_key") if name.startswith("Key_"))
    return f"${{aws_kms_key.{name}.arn}}"


def depended_on(arguments: Json, kind: str) -> list[str]:
    return [address for address in arguments["depends_on"] if address.startswith(f"{kind}.")]


def test_stores_let_in_the_primary_security_group_which_every_node_carries(synthesis: Document) -> None:
    """With any other group, such as an additional one of the control plane, no pod would reach its database."""
    (name,) = synthesis.resources("aws_eks_cluster")

    assert synthesis.outputs()["clients"]["value"] == (
        f"${{aws_eks_cluster.{name}.vpc_config[0].cluster_security_group_id}}"
    )
    for template in synthesis.resources("aws_launch_template").values():
        assert not {"vpc_security_group_ids", "network_interfaces"} & template.keys()


def test_access_is_granted_by_entries_alone_and_not_to_whoever_created_the_cluster(plane: Json) -> None:
    assert plane["access_config"] == {
        "authentication_mode": "API",
        "bootstrap_cluster_creator_admin_permissions": False,
    }


def test_deployer_administrators_and_the_emergency_role_administer_the_cluster(synthesis: Document) -> None:
    entries = synthesis.resources("aws_eks_access_entry")
    policies = synthesis.resources("aws_eks_access_policy_association")
    principals = {entry["principal_arn"] for entry in entries.values()}

    assert "arn:aws:iam::111122223333:role/platform" in principals
    assert any("aws_iam_session_context" in principal for principal in principals)
    assert any("BreakGlassRole" in principal for principal in principals)
    assert {policy["principal_arn"].split(".")[1] for policy in policies.values()} == set(entries)
    assert all(policy["policy_arn"].endswith("/AmazonEKSClusterAdminPolicy") for policy in policies.values())


def test_a_deployer_whom_the_spec_does_not_name_is_whoever_applied_first_and_stays(synthesis: Document) -> None:
    """The principal of an entry cannot be changed: whoever applies next would take the first one's rights away."""
    (deployer,) = (
        entry for name, entry in synthesis.resources("aws_eks_access_entry").items() if "Access_Deployer" in name
    )

    assert "aws_iam_session_context" in deployer["principal_arn"]
    assert deployer["lifecycle"]["ignore_changes"] == ["principal_arn"]


def test_a_deployer_whom_the_spec_names_can_be_replaced_by_another() -> None:
    stack = CustomerStack()
    spec = ClusterSpec(name="prod", deployer="arn:aws:iam::111122223333:role/pipeline")
    EksCluster(stack, "Cluster", spec, network=stack.network, key=stack.key)

    (deployer,) = (
        entry
        for entry in stack.document().resources("aws_eks_access_entry").values()
        if entry["principal_arn"] == spec.deployer
    )

    assert "ignore_changes" not in deployer.get("lifecycle", {})


def test_the_emergency_role_asks_for_a_second_factor_and_can_do_nothing_but_find_the_cluster(
    synthesis: Document,
) -> None:
    trust = trust_of(synthesis, "BreakGlassRole")
    allowed = [
        found.actions for found in statements(synthesis) if "BreakGlass" in found.address and trust != found.statement
    ]

    assert trust["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": ["true"]}}
    assert allowed == [["eks:DescribeCluster"]]


def test_addons_that_nodes_need_come_before_them_and_those_that_are_pods_after(
    synthesis: Document, addons: dict[str, Json], plane: Json
) -> None:
    """The unmanaged add-ons that EKS would put in are off; nothing else would ever update those."""
    pools = {f"aws_eks_node_group.{name}" for name in synthesis.resources("aws_eks_node_group")}

    assert plane["bootstrap_self_managed_addons"] is False
    for pool in synthesis.resources("aws_eks_node_group").values():
        assert len(depended_on(pool, "aws_eks_addon")) == 3
    for name in ("vpc-cni", "kube-proxy", "eks-pod-identity-agent"):
        assert not set(addons[name]["depends_on"]) & pools
    for name in ("coredns", "aws-ebs-csi-driver", "metrics-server"):
        assert set(depended_on(addons[name], "aws_eks_node_group")) == pools


def test_every_addon_says_who_wins_a_conflict(addons: dict[str, Json]) -> None:
    assert {addon["resolve_conflicts_on_create"] for addon in addons.values()} == {"OVERWRITE"}
    assert {addon["resolve_conflicts_on_update"] for addon in addons.values()} == {"PRESERVE"}


def test_network_policies_are_enforced(addons: dict[str, Json]) -> None:
    """EKS takes them either way; only the network add-on that is told so holds anybody to them."""
    assert json.loads(addons["vpc-cni"]["configuration_values"])["enableNetworkPolicy"] == "true"


def test_the_volume_driver_may_use_the_key_and_let_aws_alone_go_on_using_it(
    synthesis: Document, addons: dict[str, Json]
) -> None:
    """Without the grant a volume is made and can never be attached."""
    driver = addons["aws-ebs-csi-driver"]
    granted = [found for found in statements(synthesis) if "ebs-csi" in found.address and found.argument == "policy"]
    (attach,) = (found for found in granted if "kms:CreateGrant" in found.actions)

    policies = {
        policy["policy_arn"].rpartition("/")[2]
        for name, policy in synthesis.resources("aws_iam_role_policy_attachment").items()
        if "ebs-csi" in name
    }

    assert driver["pod_identity_association"][0]["service_account"] == "ebs-csi-controller-sa"
    assert policies == {"AmazonEBSCSIDriverPolicyV2"}
    assert "kms:GenerateDataKey*" in granted[0].actions
    assert attach.conditions["Bool"] == {"kms:GrantIsForAWSResource": ["true"]}
    for found in granted:
        assert found.statement["Resource"] == [key_arn(synthesis).replace("${", "<").replace("}", ">")]
        assert found.conditions["StringEquals"]["kms:ViaService"][0].startswith("ec2.")


def test_every_disk_of_a_node_is_encrypted_under_the_customers_key(synthesis: Document) -> None:
    for template in synthesis.resources("aws_launch_template").values():
        (disk,) = template["block_device_mappings"]
        assert disk["ebs"]["encrypted"] == "true"
        assert disk["ebs"]["kms_key_id"] == key_arn(synthesis)


def test_auto_scaling_may_start_nodes_with_encrypted_disks_before_its_role_exists(synthesis: Document) -> None:
    """KMS refuses a policy whose principal does not exist; a condition may name its constructed ARN."""
    granted = [
        found for found in statements(synthesis, of="aws_kms_key") if found.statement["Sid"].startswith("AutoScaling")
    ]

    assert len(granted) == 2
    for found in granted:
        (role,) = found.conditions["ArnEquals"]["aws:PrincipalArn"]
        assert role.endswith(":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling")
        assert found.conditions["StringEquals"]["kms:CallerAccount"][0].endswith(".account_id>")
        assert "aws_iam" not in role
    assert granted[1].actions == ["kms:CreateGrant"]
    assert granted[1].conditions["Bool"] == {"kms:GrantIsForAWSResource": ["true"]}


def test_a_pod_cannot_reach_the_metadata_service_and_take_its_nodes_role(synthesis: Document) -> None:
    for template in synthesis.resources("aws_launch_template").values():
        assert template["metadata_options"]["http_tokens"] == "required"
        assert template["metadata_options"]["http_put_response_hop_limit"] == 1


def test_the_control_planes_log_group_is_there_first_and_under_the_key(synthesis: Document, plane: Json) -> None:
    """EKS would make it itself, unencrypted, and the apply would then fail because it exists."""
    ((name, group),) = (
        (name, group)
        for name, group in synthesis.resources("aws_cloudwatch_log_group").items()
        if group["name"] == "/aws/eks/prod/cluster"
    )

    assert group["kms_key_id"] == key_arn(synthesis)
    assert f"aws_cloudwatch_log_group.{name}" in plane["depends_on"]
    assert set(plane["enabled_cluster_log_types"]) == {
        "api",
        "audit",
        "authenticator",
        "controllerManager",
        "scheduler",
    }


def test_the_control_plane_is_private_and_its_secrets_are_under_the_key(synthesis: Document, plane: Json) -> None:
    assert plane["vpc_config"]["endpoint_private_access"] is True
    assert plane["vpc_config"]["endpoint_public_access"] is False
    assert plane["encryption_config"] == {"provider": {"key_arn": key_arn(synthesis)}, "resources": ["secrets"]}


def test_blocks_that_the_spec_names_reach_the_api_and_nothing_else_is_let_in(synthesis: Document) -> None:
    rules = [
        rule
        for rule in synthesis.resources("aws_vpc_security_group_ingress_rule").values()
        if "cluster_security_group_id" in rule["security_group_id"]
    ]

    assert [(rule["cidr_ipv4"], rule["from_port"], rule["to_port"]) for rule in rules] == [("10.9.0.0/24", 443, 443)]


def test_a_cluster_does_not_slip_into_extended_support_and_cannot_be_deleted_by_mistake(plane: Json) -> None:
    assert plane["upgrade_policy"] == {"support_type": "STANDARD"}
    assert plane["deletion_protection"] is True
    assert plane["zonal_shift_config"] == {"enabled": True}
    assert plane["version"] == "1.35"


def test_the_nodes_follow_the_version_of_the_control_plane(synthesis: Document) -> None:
    """Otherwise an upgrade leaves them behind, and nobody sees it until EKS refuses the upgrade after the next."""
    (plane,) = synthesis.resources("aws_eks_cluster")

    for pool in synthesis.resources("aws_eks_node_group").values():
        assert pool["version"] == f"${{aws_eks_cluster.{plane}.version}}"
        assert "release_version" not in pool


def test_the_size_of_a_pool_is_the_autoscalers_after_the_first_apply(synthesis: Document) -> None:
    for pool in synthesis.resources("aws_eks_node_group").values():
        assert pool["lifecycle"]["ignore_changes"] == ["scaling_config[0].desired_size"]
        assert pool["lifecycle"]["create_before_destroy"] is True


def test_nodes_wait_for_a_way_out_the_endpoints_and_their_own_permissions(synthesis: Document) -> None:
    """A node that starts earlier cannot join, and its group fails after half an hour."""
    pool = nodes_of(synthesis, "general")

    assert len(depended_on(pool, "aws_route")) == len(synthesis.resources("aws_route"))
    assert len(depended_on(pool, "aws_route_table_association")) == 6
    assert len(depended_on(pool, "aws_vpc_endpoint")) == len(synthesis.resources("aws_vpc_endpoint"))
    assert len(depended_on(pool, "aws_iam_role_policy_attachment")) == 2


def test_a_pool_carries_the_labels_taints_and_machines_of_its_spec(synthesis: Document) -> None:
    pool = nodes_of(synthesis, "batch")

    assert pool["labels"] == {"work": "batch"}
    assert pool["taint"] == [{"effect": "NO_EXECUTE", "key": "work", "value": "batch"}]
    assert pool["instance_types"] == ["c7i.4xlarge"]
    assert pool["scaling_config"] == {"desired_size": 1, "max_size": 4, "min_size": 1}


@pytest.mark.parametrize(
    ("machine", "kind"),
    [
        ("m7i-flex.xlarge", INTEL_IMAGE),
        ("m7a.2xlarge", INTEL_IMAGE),
        ("g6e.xlarge", INTEL_IMAGE),
        ("u7i-12tb.224xlarge", INTEL_IMAGE),
        ("a1.large", ARM_IMAGE),
        ("t4g.large", ARM_IMAGE),
        ("m8g.xlarge", ARM_IMAGE),
        ("c7gn.4xlarge", ARM_IMAGE),
        ("r6gd.metal", ARM_IMAGE),
        ("is4gen.large", ARM_IMAGE),
    ],
)
def test_the_image_of_a_pool_is_of_the_architecture_of_its_machines(machine: str, kind: str) -> None:
    """EKS refuses any other at apply, which no check of the plan can see."""
    assert image(NodePoolSpec(name="pool", machines=(machine,))) == kind


def test_a_pool_of_two_architectures_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="two architectures"):
        image(NodePoolSpec(name="pool", machines=("m7i.large", "m7g.large")))


def test_a_machine_of_another_cloud_is_refused() -> None:
    """A spec that was copied from another cloud would fail at apply, when half of the cluster is there."""
    with pytest.raises(InvalidSpecError, match=r"m7i\.xlarge"):
        image(NodePoolSpec(name="pool", machines=("n2-standard-4",)))


@pytest.mark.parametrize(
    "spec",
    [
        ClusterSpec(name="prod", administrators=("platform@example.com",)),
        ClusterSpec(name="prod", deployer="arn:aws:iam::111122223333:root"),
    ],
)
def test_who_administers_is_a_role_or_a_user_because_an_entry_takes_nothing_else(spec: ClusterSpec) -> None:
    stack = CustomerStack()

    with pytest.raises(InvalidSpecError, match="ARN of a role or a user"):
        EksCluster(stack, "Cluster", spec, network=stack.network, key=stack.key)


def test_a_cluster_keeps_a_pool_open_for_its_addons() -> None:
    """Name resolution and the volume driver run as pods, tolerate no taint of ours, and would time out."""
    stack = CustomerStack()
    closed = NodePoolSpec(name="batch", taints=(Taint(key="work", value="batch"),))

    with pytest.raises(InvalidSpecError, match="leave one pool untainted"):
        EksCluster(stack, "Cluster", ClusterSpec(name="prod", pools=(closed,)), network=stack.network, key=stack.key)


def test_a_new_version_of_the_launch_template_reaches_the_nodes(synthesis: Document) -> None:
    template = nodes_of(synthesis, "general")["launch_template"]

    assert template["version"].endswith(".latest_version}")


def test_stores_let_in_the_nodes_of_a_cluster_that_exists_already() -> None:
    stack = CustomerStack()
    cluster = EksCluster.existing(stack, "Cluster", name="theirs")
    TerraformOutput(stack, "clients", value=cluster.client_security_group_id)

    document = stack.document()

    (name,) = document.data("aws_eks_cluster")
    assert document.outputs()["clients"]["value"] == (
        f"${{data.aws_eks_cluster.{name}.vpc_config[0].cluster_security_group_id}}"
    )


def test_services_must_not_overlap_the_network_of_the_nodes() -> None:
    stack = TerraformStack(testing.app(), "overlap")
    AwsProvider(stack, "aws", region="eu-west-1")
    network = AwsNetwork(stack, "Network", NetworkSpec(name="prod", cidr="10.0.0.0/16"))
    key = AwsKey(stack, "Key", KeySpec(purpose="cluster"))

    with pytest.raises(InvalidSpecError, match=r"overlaps 10\.0\.0\.0/16"):
        EksCluster(stack, "Cluster", ClusterSpec(name="prod", service_cidr="10.0.32.0/20"), network=network, key=key)


def test_a_cluster_stands_in_a_network_and_under_a_key_that_exist_already() -> None:
    stack = TerraformStack(testing.app(), "brought")
    AwsProvider(stack, "aws", region="eu-west-1")
    network = AwsNetwork.existing(stack, "Network", vpc_id="vpc-1", private_subnet_ids=["subnet-1", "subnet-2"])
    key = AwsKey.existing(stack, "Key", key_arn="arn:aws:kms:eu-west-1:111122223333:key/1")
    EksCluster(stack, "Cluster", ClusterSpec(name="prod"), network=network, key=key)

    document = synthesized(stack)

    assert document.resources("aws_kms_key") == {}
    assert document.only("aws_eks_cluster")["vpc_config"]["subnet_ids"][0].startswith("${data.aws_subnet.")
    assert [statement.sid for statement in key.required_statements] == [
        "EncryptLogs",
        "AutoScalingUse",
        "AutoScalingAttach",
    ]


def refusal(stack: CustomerStack, name: str) -> InvalidSpecError | None:
    try:
        EksCluster(
            stack, "Cluster", ClusterSpec(name=name, pools=(LONGEST_POOL,)), network=stack.network, key=stack.key
        )
    except InvalidSpecError as refused:
        return refused
    return None


@settings(max_examples=10, deadline=None)
@given(name=st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= LONGEST_NAME))
@example(name="c" * 23)
@example(name="c" * 24)
def test_a_name_fits_every_limit_with_its_suffixes_or_is_refused_in_the_words_of_the_spec(name: str) -> None:
    stack = CustomerStack()

    refused = refusal(stack, name)

    if len(name) > LONGEST_CLUSTER_NAME:
        assert refused is not None
        assert (refused.spec, refused.field) == ("ClusterSpec", "name")
        assert refused.remedy == "use at most 23 characters"
        return
    assert refused is None
    document = stack.document()
    for role in document.resources("aws_iam_role").values():
        assert ROLE_PREFIX.fullmatch(role["name_prefix"])
    assert GROUP_PREFIX.fullmatch(document.only("aws_eks_node_group")["node_group_name_prefix"])


def test_the_cluster_role_is_trusted_for_this_one_cluster(synthesis: Document) -> None:
    trust = trust_of(synthesis, "Cluster_Role_")

    assert trust["Principal"] == {"Service": ["eks.amazonaws.com"]}
    assert trust["Condition"]["ArnLike"]["aws:SourceArn"][0].endswith(":cluster/prod")
    assert "aws:SourceAccount" in trust["Condition"]["StringEquals"]


def test_the_autoscaler_may_scale_the_pools_of_its_own_cluster_and_no_other_group(synthesis: Document) -> None:
    """EKS tags the groups of its pools with the cluster's name; another cluster's carry another one."""
    role = {found.statement["Sid"]: found for found in statements(synthesis, of="aws_iam_role_policy")}
    scale = role["ScaleOwnPools"]

    assert scale.actions == ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    assert scale.conditions["StringEquals"] == {"aws:ResourceTag/k8s.io/cluster-autoscaler/prod": ["owned"]}
    assert not [action for action in role["Look"].actions if ":Describe" not in action and ":Get" not in action]


def test_the_autoscalers_identity_is_of_its_one_service_account(synthesis: Document) -> None:
    binding = synthesis.only("aws_eks_pod_identity_association")

    assert (binding["namespace"], binding["service_account"]) == ("kube-system", "cluster-autoscaler")
