"""Nothing rests without the customer's key, on any cloud, and no service needs a key before it may use it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fixtures.provider_schemas import arguments_of, given, resource_schemas
from fixtures.resource_graph import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.testing import Json
    from fixtures.resource_graph import Joined

KEYS = ("aws_kms_key", "azurerm_key_vault_key", "google_kms_crypto_key")

OF_A_KEY = re.compile(
    r"(?:^|[._])(?:kms_key|kms_master_key|aws_kms_key|cloud_kms_key|boot_disk_kms_key|customer_managed_key|"
    r"encryption_key|key_vault_key|disk_encryption_set)(?!_type)|(?:encryption|cmek)\w*\..*key"
)
"""What providers call the argument that takes a key of the customer's."""

ABOUT_KEYS = {
    "azurerm_key_vault_key",
    "aws_kms_alias",
    "google_kms_crypto_key",
    "google_kms_crypto_key_iam_member",
}
"""What is a key's own, and keeps nothing."""

EVERY_ONE = {
    "aws_db_instance": {"kms_key_id", "performance_insights_kms_key_id"},
    "aws_eks_cluster": {"encryption_config.provider.key_arn"},
    "aws_launch_template": {"block_device_mappings.ebs.kms_key_id"},
    "aws_s3_bucket_replication_configuration": {"rule.destination.encryption_configuration.replica_kms_key_id"},
    "azurerm_kubernetes_cluster": {"disk_encryption_set_id", "key_management_service.key_vault_key_id"},
    "google_container_cluster": {"database_encryption.key_name"},
    "google_container_node_pool": {"node_config.boot_disk_kms_key"},
    "google_sql_database_instance": {"encryption_key_name"},
}
"""What keeps data in several places, each with an argument of its own; elsewhere one key is all there is."""

ELSEWHERE = {
    "aws_s3_bucket": "aws_s3_bucket_server_side_encryption_configuration",
    "azurerm_log_analytics_workspace": "a workspace takes a key only through a cluster of 100 GB a day",
    "azurerm_kubernetes_cluster_node_pool": "takes the disk encryption set of its cluster",
    "google_storage_transfer_job": "keeps nothing: it copies between buckets that have keys",
}
"""What is encrypted by another resource, or cannot be, and why."""


def test_whatever_takes_a_key_of_the_customers_has_one(critical: Joined) -> None:
    """The promise of the platform. The provider's own schema says what takes one, so that no store is forgotten."""
    without = [
        address
        for _, address, arguments in critical.elements()
        if kind_of(address) not in ABOUT_KEYS | ELSEWHERE.keys()
        and takes_a_key(kind_of(address))
        and not key_arguments(arguments)
    ]

    assert without == []


def test_what_keeps_data_in_several_places_has_a_key_for_each(critical: Joined) -> None:
    lacking = {
        address: sorted(missing)
        for _, address, arguments in critical.elements()
        if (missing := EVERY_ONE.get(kind_of(address), set()) - {path for path, _ in given(arguments)})
    }

    assert lacking == {}


def test_every_key_that_is_named_is_one_of_the_foundation(critical: Joined) -> None:
    """An alias, a constant or somebody else's key would be one that the customer can neither rotate nor revoke."""
    strange = [
        f"{address}.{path}"
        for layer, address, path, value in used_keys(critical)
        if not keys_of(critical, layer, value)
    ]

    assert strange == []
    assert len(list(used_keys(critical))) > len(critical.layers)


def test_what_stands_in_a_region_is_under_a_key_of_that_region(critical: Joined) -> None:
    """A copy that needs the lost region's key is lost with it."""
    for layer, address, path, value in used_keys(critical):
        home = "recovery" if layer == "recovery" else "bootstrap"

        assert {key.partition("/")[0] for key in keys_of(critical, layer, value)} == {home}, f"{address}.{path}"


def test_each_purpose_has_a_key_of_its_own(critical: Joined) -> None:
    """Revoking the key of the cache must not take the database away."""
    stores = {
        "cluster": ("aws_eks_cluster", "google_container_cluster", "azurerm_disk_encryption_set"),
        "database": ("aws_db_instance", "google_sql_database_instance", "azurerm_postgresql_flexible_server"),
        "cache": ("aws_elasticache_replication_group", "google_memorystore_instance", "azurerm_managed_redis"),
        "backup": ("aws_backup_vault",),
        "registry": ("aws_ecr_repository", "google_artifact_registry_repository", "azurerm_container_registry"),
    }
    used: dict[str, set[str]] = {}
    for layer, address, _, value in used_keys(critical):
        for purpose in (each for each, kinds in stores.items() if kind_of(address) in kinds and layer != "recovery"):
            used.setdefault(purpose, set()).update(keys_of(critical, layer, value))

    assert {"cluster", "database", "cache", "registry"} <= used.keys()
    assert {purpose: len(keys) for purpose, keys in used.items()} == dict.fromkeys(used, 1)
    assert len(set[str]().union(*used.values())) == len(used)


def used_keys(foundation: Joined) -> Iterator[tuple[str, str, str, Json]]:
    """Yield layer, address, path and value wherever something says under which key it is."""
    for layer, address, arguments in foundation.elements():
        if kind_of(address) not in ABOUT_KEYS and not kind_of(address).startswith("data."):
            for path, value in key_arguments(arguments):
                yield layer, address, path, value


def takes_a_key(kind: str) -> bool:
    """Whether resources of this type have an argument for a key."""
    return any(OF_A_KEY.search(path) for path in arguments_of(resource_schemas().get(kind, {})))


def key_arguments(arguments: Json) -> list[tuple[str, Json]]:
    """Return the arguments that name a key, by path; only a text can."""
    return [
        (path, value)
        for path, value in given(arguments)
        if isinstance(value, str) and "${" in value and OF_A_KEY.search(path) and not path.endswith("identity_id")
    ]


def keys_of(foundation: Joined, layer: str, value: Json) -> set[str]:
    """Return the keys that a value leads to, directly or through what stands between, such as a disk encryption set."""
    named = foundation.references(layer, value)
    direct = {address for address in named if kind_of(address) in KEYS}
    return direct or {key for address in named for key in foundation.needed_by(address) if kind_of(key) in KEYS}
