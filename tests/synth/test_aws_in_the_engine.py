"""Every way to make a network, a cluster and an identity, as the real engine sees it: accepted, applied, left alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.aws.cluster import EksCluster
from aeterna.aws.identity import AwsIdentity, Mechanism
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.network import AwsNetwork
from aeterna.aws.provider import use_provider
from aeterna.contracts.cluster import GENERAL, ClusterSpec, NodePoolSpec, Taint
from aeterna.contracts.identity import IdentitySpec
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.network import Egress, NetworkSpec
from aeterna.synth import testing
from aeterna.synth.app import TerraformStack
from aeterna.synth.testing import synthesized
from fixtures.customer_stack import CustomerStack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aeterna.synth.testing import Json
    from fixtures.tofu_engine import Engine

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]


def network(spec: NetworkSpec) -> Json:
    stack = TerraformStack(testing.app(), "networks")
    AwsProvider(stack, "aws", region="eu-west-1")
    AwsNetwork(stack, "Network", spec)
    return synthesized(stack).json


def sealed_network() -> Json:
    return network(NetworkSpec(name="sealed", egress=Egress.NONE))


def shared_way_out() -> Json:
    return network(NetworkSpec(name="dev", zones=2, egress=Egress.SHARED, private_endpoints=False))


def pinned_zones() -> Json:
    return network(NetworkSpec(name="pinned", zones=2, zone_ids=("euw1-az1", "euw1-az2"), cidr="10.7.0.0/20"))


def cluster_with_everything() -> Json:
    stack = CustomerStack()
    batch = NodePoolSpec(name="batch", fewest=1, most=4, labels={"work": "batch"}, taints=(Taint(key="a", value="b"),))
    spec = ClusterSpec(
        name="theirs",
        pools=(NodePoolSpec(name="general"), batch),
        deployer="arn:aws:iam::111122223333:role/deploy",
        administrators=("arn:aws:iam::111122223333:role/platform",),
        break_glass=("arn:aws:iam::111122223333:role/on-call",),
        api_clients=("10.9.0.0/24", "10.10.0.0/24"),
    )
    EksCluster(stack, "Cluster", spec, network=stack.network, key=stack.key)
    return stack.document().json


def cluster_under_an_existing_key() -> Json:
    stack = CustomerStack()
    key = AwsKey.existing(stack, "Theirs", key_arn="arn:aws:kms:eu-west-1:111122223333:key/1")
    EksCluster(stack, "Cluster", ClusterSpec(name="theirs"), network=stack.network, key=key)
    return stack.document().json


def identities_of_both_kinds(pool: NodePoolSpec = GENERAL) -> Json:
    stack = CustomerStack()
    spec = ClusterSpec(name="theirs", pools=(pool,))
    cluster = EksCluster(stack, "Cluster", spec, network=stack.network, key=stack.key)
    for mechanism in Mechanism:
        bound = IdentitySpec(name=mechanism.value, namespace="theirs", service_account=mechanism.value)
        identity = AwsIdentity(stack, mechanism.name, bound, cluster=cluster, mechanism=mechanism)
        identity.allow("Use", stack.key.usage("UseKey", via="s3"))
    return stack.document().json


def identity_in_an_existing_cluster() -> Json:
    stack = CustomerStack()
    cluster = EksCluster.existing(stack, "Cluster", name="theirs")
    for mechanism in Mechanism:
        bound = IdentitySpec(name=mechanism.value, namespace="theirs", service_account=mechanism.value)
        AwsIdentity(stack, mechanism.name, bound, cluster=cluster, mechanism=mechanism)
    return stack.document().json


def key_in_another_region() -> Json:
    stack = CustomerStack()
    there = AwsKey(stack, "There", KeySpec(purpose="copies", administrators=("arn:aws:iam::111122223333:role/keys",)))
    use_provider(there, AwsProvider(stack, "frankfurt", region="eu-central-1", alias="frankfurt"))
    return stack.document().json


@pytest.mark.parametrize(
    "configuration",
    [
        sealed_network,
        shared_way_out,
        pinned_zones,
        cluster_with_everything,
        cluster_under_an_existing_key,
        identities_of_both_kinds,
        identity_in_an_existing_cluster,
        key_in_another_region,
    ],
)
def test_the_engine_accepts_and_applies_it_and_finds_nothing_to_change_afterwards(
    configuration: Callable[[], Json], tofu: Engine, tmp_path: Path
) -> None:
    workspace = tofu.workspace(tmp_path, configuration())
    workspace.init()

    assert workspace.problems() == []
    workspace.plan()
    workspace.apply()
    assert not workspace.has_changes()


def test_every_policy_of_an_applied_cluster_is_a_document_of_iam(tofu: Engine, tmp_path: Path) -> None:
    """References are filled in inside JSON text: quotes that one of them brought would break it."""
    workspace = tofu.workspace(tmp_path, identities_of_both_kinds())
    workspace.init()
    workspace.plan()
    workspace.apply()

    values = [resource["values"] for resource in workspace.state()["values"]["root_module"]["resources"]]
    documents = [found[name] for found in values for name in ("policy", "assume_role_policy") if found.get(name)]

    assert len(documents) > 10
    assert all(json.loads(text)["Version"] == "2012-10-17" for text in documents)
    assert not [text for text in documents if "https://" in text], "an issuer is named without its scheme"


def test_a_pool_gives_way_to_another_and_a_cluster_to_nothing_while_the_key_stays(tofu: Engine, tmp_path: Path) -> None:
    """The key's policy changes in the same apply: nodes that are made before they are destroyed must not tie a knot."""
    changed = identities_of_both_kinds(NodePoolSpec(name="larger", machines=("m7i.4xlarge",)))
    workspace = tofu.workspace(tmp_path, identities_of_both_kinds())
    workspace.init()
    for configuration in (identities_of_both_kinds(), changed, CustomerStack().document().json):
        tofu.workspace(tmp_path, configuration)
        workspace.plan()
        workspace.apply()

    assert not workspace.has_changes()
