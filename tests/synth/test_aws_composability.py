"""Each construct of AWS works alone in a customer's own stack, with the customer's own provider and bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.aws.bucket import S3Bucket
from aeterna.aws.cache import ElastiCacheValkey
from aeterna.aws.catalog import GlueCatalog
from aeterna.aws.cluster import EksCluster
from aeterna.aws.database import RdsPostgres
from aeterna.aws.identity import AwsIdentity
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.eip import AwsEip
from aeterna.aws.l1.eks_cluster import AwsEksCluster
from aeterna.aws.l1.launch_template import AwsLaunchTemplate
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.l1.vpc import AwsVpc
from aeterna.aws.network import AwsNetwork
from aeterna.aws.provider import use_provider
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.catalog import CatalogSpec
from aeterna.contracts.cluster import ClusterSpec
from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.identity import IdentitySpec
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.network import NetworkSpec
from aeterna.synth import testing
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.aspects import Aspect, attach
from aeterna.synth.binding import Resource
from aeterna.synth.overrides import all_inside, inside
from aeterna.synth.testing import synthesized
from fixtures.customer_stack import CustomerStack

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct, IConstruct


def cluster_in(stack: CustomerStack) -> EksCluster:
    return EksCluster(stack, "Cluster", ClusterSpec(name="theirs"), network=stack.network, key=stack.key)


def bucket_in(stack: CustomerStack) -> S3Bucket:
    return S3Bucket(stack, "Bucket", BucketSpec(name="their-graph"), key=stack.key)


def network_in(stack: CustomerStack) -> AwsNetwork:
    return AwsNetwork(stack, "Own", NetworkSpec(name="own"))


def key_in(stack: CustomerStack) -> AwsKey:
    return AwsKey(stack, "Own", KeySpec(purpose="own"))


def database_in(stack: CustomerStack) -> RdsPostgres:
    return RdsPostgres(stack, "Threads", DatabaseSpec(name="threads"), network=stack.network, key=stack.key)


def cache_in(stack: CustomerStack) -> ElastiCacheValkey:
    return ElastiCacheValkey(stack, "Cache", CacheSpec(name="cache"), network=stack.network, key=stack.key)


def catalog_in(stack: CustomerStack) -> GlueCatalog:
    return GlueCatalog(stack, "Catalog", CatalogSpec(name="graph"), key=stack.key, bucket=bucket_in(stack))


def identity_in(stack: CustomerStack) -> AwsIdentity:
    spec = IdentitySpec(name="api", namespace="theirs", service_account="api")
    return AwsIdentity(stack, "Api", spec, cluster=cluster_in(stack))


CONSTRUCTS: dict[str, tuple[Callable[[CustomerStack], Construct], str]] = {
    "network": (network_in, "aws_vpc"),
    "key": (key_in, "aws_kms_key"),
    "cluster": (cluster_in, "aws_eks_cluster"),
    "identity": (identity_in, "aws_eks_pod_identity_association"),
    "database": (database_in, "aws_db_instance"),
    "cache": (cache_in, "aws_elasticache_replication_group"),
    "bucket": (bucket_in, "aws_s3_bucket"),
    "catalog": (catalog_in, "aws_glue_catalog_database"),
}


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_a_construct_stands_alone_and_its_primary_child_is_the_resource(construct: str) -> None:
    compose, terraform_type = CONSTRUCTS[construct]
    stack = CustomerStack()
    made = compose(stack)

    document = stack.document()

    primary = made.node.find_child("Resource")
    assert isinstance(primary, Resource)
    assert primary.terraform_resource_type == terraform_type
    assert document.resources(terraform_type)
    assert document.json["provider"].pop("aws") == [{"region": "eu-west-1"}]
    assert document.json["provider"].keys() <= {"random"}


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_addresses_depend_on_a_constructs_own_path_alone(construct: str) -> None:
    """They are a public contract: what stands beside a database must not rename, and so replace, it."""
    compose, terraform_type = CONSTRUCTS[construct]
    stack = CustomerStack()
    compose(stack)
    crowded = CustomerStack("crowded")
    AwsKey(crowded, "Before", KeySpec(purpose="before"))
    compose(crowded)

    assert stack.document().resources(terraform_type).keys() <= crowded.document().resources(terraform_type).keys()


def test_a_default_is_changed_at_the_resource_without_forking_the_construct() -> None:
    stack = CustomerStack()
    cluster = cluster_in(stack)
    inside(cluster, AwsEksCluster).replace("enabled_cluster_log_types", ["audit"])
    inside(cluster, AwsLaunchTemplate, "Pool-general/Template").replace("monitoring", {"enabled": False})

    document = stack.document()

    assert document.only("aws_eks_cluster")["enabled_cluster_log_types"] == ["audit"]
    assert document.only("aws_launch_template")["monitoring"] == {"enabled": False}


def test_what_no_argument_reaches_is_overridden_by_its_path() -> None:
    stack = CustomerStack()
    inside(cluster_in(stack), AwsEksCluster).add_override("vpc_config.public_access_cidrs", ["203.0.113.0/24"])

    assert stack.document().only("aws_eks_cluster")["vpc_config"]["public_access_cidrs"] == ["203.0.113.0/24"]


def test_a_customers_aspect_reaches_every_resource_inside() -> None:
    class LargerDisks(Aspect):
        def apply(self, node: IConstruct) -> None:
            if isinstance(node, AwsLaunchTemplate):
                node.add_override("block_device_mappings.0.ebs.volume_size", 500)

    stack = CustomerStack()
    cluster_in(stack)
    attach(stack, LargerDisks())

    (disk,) = stack.document().only("aws_launch_template")["block_device_mappings"]
    assert disk["ebs"]["volume_size"] == 500


def test_a_part_of_a_stack_is_made_by_another_provider_of_the_customers() -> None:
    """Names and ARNs follow, because each construct asks its own provider where it is."""
    stack = CustomerStack()
    frankfurt = AwsProvider(stack, "frankfurt", region="eu-central-1", alias="frankfurt")
    there = AwsKey(stack, "There", KeySpec(purpose="copies"))
    use_provider(there, frankfurt)

    document = stack.document()

    for name, key in document.resources("aws_kms_key").items():
        assert key.get("provider") == ("aws.frankfurt" if name.startswith("There") else None)
    for name, region in document.data("aws_region").items():
        assert region.get("provider") == ("aws.frankfurt" if name.startswith("There") else None)


def test_outputs_of_one_stack_are_inputs_of_another() -> None:
    app = testing.app()
    ground = TerraformStack(app, "ground")
    AwsProvider(ground, "aws", region="eu-west-1")
    network = AwsNetwork(ground, "Network", NetworkSpec(name="prod"))
    above = TerraformStack(app, "above")
    AwsProvider(above, "aws", region="eu-west-1")
    TerraformOutput(above, "vpc", value=network.vpc_id)

    document = synthesized(above)

    assert "data.terraform_remote_state." in document.outputs()["vpc"]["value"]
    assert all_inside(network, AwsVpc)


def test_what_a_construct_says_it_is_ready_with_can_be_waited_for_as_it_is() -> None:
    """`ready` is a tuple: a customer's own resource, or the platform's, passes it on."""
    stack = CustomerStack()
    AwsEip(stack, "Theirs", domain="vpc", depends_on=cluster_in(stack).ready)

    waited_for = {address.partition(".")[0] for address in stack.document().only("aws_eip")["depends_on"]}

    assert waited_for == {"aws_eks_access_policy_association", "aws_eks_addon"}
