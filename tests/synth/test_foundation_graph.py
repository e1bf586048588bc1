"""Whole-environment laws, read from the graph that the engine will walk."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, cast

import pytest

from fixtures.resource_graph import graph_of, needed_by, references

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.synth.testing import Document, Json

KEY_OF: dict[str, Callable[[Json], list[Json]]] = {
    "aws_cloudwatch_log_group": lambda store: [store["kms_key_id"]],
    "aws_db_instance": lambda store: [
        store["kms_key_id"],
        store["master_user_secret_kms_key_id"],
        store["performance_insights_kms_key_id"],
    ],
    "aws_eks_cluster": lambda store: [store["encryption_config"]["provider"]["key_arn"]],
    "aws_elasticache_replication_group": lambda store: [store["kms_key_id"]],
    "aws_launch_template": lambda store: [disk["ebs"]["kms_key_id"] for disk in store["block_device_mappings"]],
    "aws_s3_bucket_server_side_encryption_configuration": lambda store: [
        rule["apply_server_side_encryption_by_default"]["kms_master_key_id"] for rule in store["rule"]
    ],
}
"""Where each kind of store says which key it is under."""


@pytest.mark.parametrize("kind", KEY_OF)
def test_every_store_is_encrypted_with_a_key_of_the_customers(kind: str, foundation: Document) -> None:
    """The promise of the platform: no store without the customer's key, in any place where data can come to rest."""
    stores = foundation.resources(kind)

    assert stores
    for store in stores.values():
        for key in KEY_OF[kind](store):
            (address,) = references(key)
            assert address.startswith("aws_kms_key.")


def test_each_purpose_has_a_key_of_its_own(foundation: Document) -> None:
    """Revoking the key of the cache must not take the database away."""
    keys = {
        kind: {address for store in foundation.resources(kind).values() for address in references(KEY_OF[kind](store))}
        for kind in ("aws_db_instance", "aws_eks_cluster", "aws_elasticache_replication_group")
    }

    assert {len(used) for used in keys.values()} == {1}
    assert len({address for used in keys.values() for address in used}) == len(keys)
    assert len(foundation.resources("aws_kms_key")) == 5


def test_every_bucket_says_how_it_is_encrypted(foundation: Document) -> None:
    encrypted = [
        rule["bucket"] for rule in foundation.resources("aws_s3_bucket_server_side_encryption_configuration").values()
    ]

    assert {address for bucket in encrypted for address in references(bucket)} == {
        f"aws_s3_bucket.{name}" for name in foundation.resources("aws_s3_bucket")
    }


def test_nothing_waits_for_itself(foundation: Document) -> None:
    """The classic circle is a key whose policy names a role that needs the key."""
    order = list(TopologicalSorter(graph_of(foundation)).static_order())

    assert len(order) == len(foundation.addresses())


def test_database_and_cache_let_in_the_clusters_nodes_and_nobody_else(foundation: Document) -> None:
    rules = [
        rule
        for name, rule in foundation.resources("aws_vpc_security_group_ingress_rule").items()
        if not name.startswith("Network_")
    ]

    assert {rule["from_port"] for rule in rules} == {5432, 6379}
    for rule in rules:
        assert rule["referenced_security_group_id"].endswith(".vpc_config[0].cluster_security_group_id}")
        assert "cidr_ipv4" not in rule


def test_pods_come_after_the_nodes_and_nodes_after_the_network(foundation: Document) -> None:
    graph = graph_of(foundation)
    (pool,) = (address for address in graph if address.startswith("aws_eks_node_group."))

    waited_for = needed_by(graph, pool)

    for kind in ("aws_nat_gateway", "aws_vpc_endpoint", "aws_kms_key", "aws_cloudwatch_log_group"):
        assert any(address.startswith(f"{kind}.") for address in waited_for), kind


def test_what_holds_data_refuses_to_be_destroyed(foundation: Document) -> None:
    """One flag on the service's side and one on the engine's, as far as each kind has them."""
    assert foundation.only("aws_db_instance")["deletion_protection"] is True
    assert foundation.only("aws_eks_cluster")["deletion_protection"] is True
    assert not foundation.only("aws_s3_bucket").get("force_destroy")
    for key in foundation.resources("aws_kms_key").values():
        assert key["lifecycle"]["prevent_destroy"] is True


def test_nothing_of_it_is_reachable_from_the_internet(foundation: Document) -> None:
    assert foundation.only("aws_db_instance")["publicly_accessible"] is False
    assert foundation.only("aws_eks_cluster")["vpc_config"]["endpoint_public_access"] is False
    block = foundation.only("aws_s3_bucket_public_access_block")
    assert all(value is True for name, value in block.items() if name.startswith(("block_", "ignore_", "restrict_")))
    for rule in foundation.resources("aws_vpc_security_group_ingress_rule").values():
        assert rule.get("cidr_ipv4") != "0.0.0.0/0"


def test_every_value_of_the_contract_is_an_attribute_and_so_waits_for_its_resource(foundation: Document) -> None:
    """Except what AWS itself keeps at a fixed address, and the version of the contract."""
    contract = foundation.outputs()["foundation"]["value"]

    assert contract["version"] == 1
    assert set(contract) == {
        "version",
        "network",
        "cluster",
        "database",
        "cache",
        "bucket",
        "catalog",
        "keys",
        "identities",
    }
    fixed = {path: value for path, value in leaves(contract) if not references(value)}
    assert fixed == {
        "version": 1,
        "database.certificate_authority": "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
        "catalog.properties.rest.sigv4-enabled": "true",
        "catalog.properties.rest.signing-name": "glue",
    }


def leaves(value: Json, path: str = "") -> list[tuple[str, Json]]:
    if isinstance(value, dict):
        entries = cast("dict[str, Json]", value)
        return [found for key, item in entries.items() for found in leaves(item, f"{path}.{key}".lstrip("."))]
    if isinstance(value, list):
        items = cast("list[Json]", value)
        return [found for index, item in enumerate(items) for found in leaves(item, f"{path}[{index}]")]
    return [(path, value)]
