"""Laws of a whole foundation that only AWS has, read from the graph that the engine will walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.iam_documents import statements
from fixtures.resource_graph import kind_of, references

if TYPE_CHECKING:
    from aeterna.synth.testing import Document
    from fixtures.resource_graph import Joined

PORTS = {5432, 6379}
LOGS = "kms:EncryptionContext:aws:logs:arn"


def test_every_bucket_says_how_it_is_encrypted(on_aws: Joined) -> None:
    for document in on_aws.layers.values():
        encrypted = [
            rule["bucket"] for rule in document.resources("aws_s3_bucket_server_side_encryption_configuration").values()
        ]

        assert {address for bucket in encrypted for address in references(bucket)} == {
            f"aws_s3_bucket.{name}" for name in document.resources("aws_s3_bucket")
        }


def test_every_log_group_is_named_by_the_policy_of_its_key(on_aws: Joined) -> None:
    """Logs asks the key with the group's ARN; a key that does not know the name refuses, and the apply with it."""
    for address, group in on_aws.resources("aws_cloudwatch_log_group").items():
        layer = address.partition("/")[0]
        (key,) = on_aws.references(layer, group["kms_key_id"])

        assert any(arn.endswith(f":log-group:{group['name']}") for arn in admitted_log_groups(on_aws, key)), address


def test_each_key_admits_the_log_groups_that_exist_and_no_others(on_aws: Joined) -> None:
    groups = {group["name"] for group in on_aws.resources("aws_cloudwatch_log_group").values()}

    admitted = {
        arn.partition(":log-group:")[2]
        for key in on_aws.resources("aws_kms_key")
        for arn in admitted_log_groups(on_aws, key)
    }

    assert admitted == groups


def admitted_log_groups(foundation: Joined, key: str) -> list[str]:
    """Return the ARNs that a key's policy lets the log service encrypt."""
    layer, _, address = key.partition("/")
    return [
        arn
        for found in statements(foundation.layers[layer], of="aws_kms_key")
        if found.address == address
        for tested in found.conditions.values()
        for arn in tested.get(LOGS, [])
    ]


def test_database_and_cache_let_in_the_clusters_nodes_and_nobody_else(on_aws: Joined) -> None:
    rules = [
        (address, rule)
        for address, rule in on_aws.resources("aws_vpc_security_group_ingress_rule").items()
        if rule["from_port"] != 443
    ]

    assert {rule["from_port"] for _, rule in rules} == PORTS
    for address, rule in rules:
        assert address.startswith("cluster/")
        assert rule["referenced_security_group_id"].endswith(".vpc_config[0].cluster_security_group_id}")
        assert "cidr_ipv4" not in rule


def test_nodes_come_after_the_network_and_everything_that_they_need(on_aws: Joined) -> None:
    (pool,) = on_aws.resources("aws_eks_node_group")

    waited_for = {kind_of(address) for address in on_aws.needed_by(pool)}

    assert {"aws_eks_addon", "aws_kms_key", "aws_cloudwatch_log_group", "aws_subnet"} <= waited_for
    for kind in ("aws_nat_gateway", "aws_vpc_endpoint", "aws_route"):
        assert all(on_aws.follows(pool, address) for address in on_aws.resources(kind) if "recovery/" not in address)


def test_a_database_follows_its_log_groups(on_aws: Joined) -> None:
    """RDS makes a missing group itself, without the key, and the apply then finds that it exists."""
    for database in on_aws.resources("aws_db_instance"):
        layer = database.partition("/")[0]
        groups = {
            address
            for address, group in on_aws.resources("aws_cloudwatch_log_group").items()
            if address.startswith(f"{layer}/") and group["name"].startswith("/aws/rds/")
        }

        assert groups
        assert groups <= on_aws.needed_by(database)


def test_what_holds_data_refuses_to_be_destroyed(on_aws: Joined) -> None:
    """One flag on the service's side and one on the engine's, as far as each kind has them."""
    for kind in ("aws_db_instance", "aws_eks_cluster"):
        assert all(resource["deletion_protection"] is True for resource in on_aws.resources(kind).values())
    for kind in ("aws_kms_key", "aws_s3_bucket", "aws_db_instance", "aws_backup_vault", "aws_ecr_repository"):
        for address, resource in on_aws.resources(kind).items():
            assert resource["lifecycle"]["prevent_destroy"] is True, address
            assert not resource.get("force_destroy"), address


def test_nothing_of_it_is_reachable_from_the_internet(on_aws: Joined) -> None:
    assert all(database["publicly_accessible"] is False for database in on_aws.resources("aws_db_instance").values())
    for cluster in on_aws.resources("aws_eks_cluster").values():
        assert cluster["vpc_config"]["endpoint_public_access"] is False
    for rule in on_aws.resources("aws_vpc_security_group_ingress_rule").values():
        assert rule.get("cidr_ipv4") != "0.0.0.0/0"
    for document in on_aws.layers.values():
        assert blocked(document) == {f"aws_s3_bucket.{name}" for name in document.resources("aws_s3_bucket")}


def blocked(document: Document) -> set[str]:
    """Return the buckets of which nothing can be made public."""
    return {
        address
        for block in document.resources("aws_s3_bucket_public_access_block").values()
        if all(value is True for name, value in block.items() if name.startswith(("block_", "ignore_", "restrict_")))
        for address in references(block["bucket"])
    }
