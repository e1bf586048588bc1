"""What a data lake's filesystem on Azure is, here and in a second region."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from aeterna.azure.bucket import BlobBucket
from aeterna.azure.bucket_replica import BlobReplica
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.synth.app import TerraformOutput
from fixtures.azure_stack import AzureStack, SecondRegion, named, roles

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

SPEC = BucketSpec(name="acme-prod-westeurope-graph")
COPY = BucketSpec(name="acme-prod-northeurope-graph")


def bucket_in(stack: AzureStack, spec: BucketSpec = SPEC, *, hierarchical: bool = True) -> BlobBucket:
    return BlobBucket(
        stack, "Bucket", spec, place=stack.place, key=stack.key, network=stack.network, hierarchical=hierarchical
    )


def copied(*, hierarchical: bool, location: str = "westeurope") -> tuple[AzureStack, BlobReplica]:
    stack = AzureStack(location=location)
    second = SecondRegion(stack)
    source = bucket_in(stack, hierarchical=hierarchical)
    replica = BlobReplica(
        stack, "Replica", COPY, source=source, place=second.place, key=second.key, network=second.network
    )
    return stack, replica


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = AzureStack()
    bucket = bucket_in(stack)
    bucket.grant_to(stack, "Grant", principal_id=Late("principal"), name=Late("graph-api"))
    TerraformOutput(stack, "uri", value=bucket.outputs.uri)
    return stack.document()


def test_no_secret_key_opens_the_account(synthesis: Document) -> None:
    account = synthesis.only("azurerm_storage_account")
    (provider,) = synthesis.json["provider"]["azurerm"]

    assert account["shared_access_key_enabled"] is False
    assert account["local_user_enabled"] is False
    assert account["default_to_oauth_authentication"] is True
    assert provider["storage_use_azuread"] is True


def test_nothing_outside_the_network_reaches_it_and_nothing_in_it_can_be_made_public(synthesis: Document) -> None:
    account = synthesis.only("azurerm_storage_account")

    assert account["public_network_access_enabled"] is False
    assert account["network_rules"]["default_action"] == "Deny"
    assert account["allow_nested_items_to_be_public"] is False
    assert synthesis.only("azurerm_storage_container")["container_access_type"] == "private"


def test_the_network_reaches_it_by_both_of_its_names(synthesis: Document) -> None:
    """A client of Data Lake Storage asks ``dfs`` for some things and ``blob`` for others."""
    reached = {
        endpoint["private_service_connection"]["subresource_names"][0]: endpoint["private_dns_zone_group"]
        for endpoint in synthesis.resources("azurerm_private_endpoint").values()
    }

    assert set(reached) == {"blob", "dfs"}
    for subresource, group in reached.items():
        assert subresource in group["private_dns_zone_ids"][0]


def test_it_is_encrypted_twice_and_the_outer_time_under_the_customers_key(synthesis: Document) -> None:
    account = synthesis.only("azurerm_storage_account")

    assert account["infrastructure_encryption_enabled"] is True
    assert account["customer_managed_key"]["key_vault_key_id"].endswith(".versionless_id}")
    assert account["identity"]["type"] == "UserAssigned"
    assert account["min_tls_version"] == "TLS1_2"
    assert account["https_traffic_only_enabled"] is True


def test_the_key_is_given_when_the_account_is_made_and_by_nothing_else(synthesis: Document) -> None:
    """A separate resource for the key and the account's own argument undo each other at every apply."""
    assert not synthesis.resources("azurerm_storage_account_customer_managed_key")


def test_the_account_is_made_only_when_its_identity_may_use_the_key(synthesis: Document) -> None:
    account = synthesis.only("azurerm_storage_account")

    assert any("time_sleep" in waited for waited in account["depends_on"])


def test_directories_are_real_and_what_was_deleted_comes_back(synthesis: Document) -> None:
    account = synthesis.only("azurerm_storage_account")
    blobs = account["blob_properties"]

    assert account["is_hns_enabled"] is True
    assert blobs["delete_retention_policy"] == {"days": 30}
    assert blobs["container_delete_retention_policy"] == {"days": 30}
    assert "versioning_enabled" not in blobs


def test_making_the_filesystem_needs_no_way_into_the_account(synthesis: Document) -> None:
    """Whoever applies stands outside the network; the resource for filesystems would have to get in."""
    assert synthesis.only("azurerm_storage_container")["storage_account_id"].endswith(".id}")
    assert not synthesis.resources("azurerm_storage_data_lake_gen2_filesystem")


def test_an_iceberg_client_is_told_the_filesystem_and_its_host(synthesis: Document) -> None:
    uri = synthesis.outputs()["uri"]["value"]

    assert uri.startswith("abfss://${azurerm_storage_container.")
    assert uri.endswith(".primary_dfs_host}")


def test_an_identity_is_let_into_the_filesystem_and_not_into_the_account(synthesis: Document) -> None:
    grant = named(roles(synthesis), "Grant")

    assert grant["role_definition_name"] == "Storage Blob Data Contributor"
    assert "azurerm_storage_container." in grant["scope"]


def test_what_holds_data_refuses_to_be_destroyed(synthesis: Document) -> None:
    for kind in ("azurerm_storage_account", "azurerm_storage_container"):
        assert synthesis.only(kind)["lifecycle"]["prevent_destroy"]


def test_a_flat_bucket_keeps_every_version_for_so_long() -> None:
    stack = AzureStack()
    bucket_in(stack, hierarchical=False)

    document = stack.document()

    blobs = document.only("azurerm_storage_account")["blob_properties"]
    (rule,) = document.only("azurerm_storage_management_policy")["rule"]
    assert blobs["versioning_enabled"] is True
    assert rule["actions"]["version"] == {"delete_after_days_since_creation": 30}


@pytest.mark.parametrize(
    ("reason", "spec", "match"),
    [
        ("kept longer than Azure does", replace(SPEC, noncurrent_days=400), "365"),
        ("Azure's own week is the only one", replace(SPEC, abort_multipart_days=3), "leave it at 7"),
        ("a name tells no identifier", replace(SPEC, access_log_bucket="acme-logs"), "diagnostic_setting"),
    ],
)
def test_what_azure_cannot_do_is_refused_with_a_remedy(reason: str, spec: BucketSpec, match: str) -> None:
    with pytest.raises(InvalidSpecError, match=match):
        bucket_in(AzureStack(), spec)


def test_a_hierarchical_account_is_copied_whole_to_the_region_that_azure_pairs_with_its_own() -> None:
    """Azure refuses to replicate such an account object by object."""
    stack, _ = copied(hierarchical=True)

    document = stack.document()

    kept = {account["location"]: account for account in document.resources("azurerm_storage_account").values()}
    assert kept["westeurope"]["account_replication_type"] == "RAGZRS"
    assert kept["northeurope"]["account_replication_type"] == "ZRS"
    assert not document.resources("azurerm_storage_object_replication")


def test_the_copy_is_read_from_the_second_regions_network() -> None:
    stack, replica = copied(hierarchical=True)
    TerraformOutput(stack, "copy", value=replica.copy_uri)

    document = stack.document()

    ways = [
        endpoint["location"]
        for endpoint in document.resources("azurerm_private_endpoint").values()
        if endpoint["private_service_connection"]["subresource_names"][0] in {"blob_secondary", "dfs_secondary"}
    ]
    assert ways == ["northeurope", "northeurope"]
    assert document.outputs()["copy"]["value"].endswith(".secondary_dfs_host}")


def test_a_flat_account_is_replicated_object_by_object_under_a_key_of_the_second_region() -> None:
    stack, _ = copied(hierarchical=False)

    document = stack.document()

    copy = named(document.resources("azurerm_storage_account"), "Replica_Bucket")
    (rule,) = document.only("azurerm_storage_object_replication")["rules"]
    assert rule["copy_blobs_created_after"] == "Everything"
    assert "SecondKey" in copy["customer_managed_key"]["key_vault_key_id"]
    for account in document.resources("azurerm_storage_account").values():
        assert account["account_replication_type"] == "ZRS"
        assert account["blob_properties"]["versioning_enabled"] is True
        assert account["blob_properties"]["change_feed_enabled"] is True


def test_the_bucket_of_the_second_region_is_of_the_sources_kind() -> None:
    _, replica = copied(hierarchical=True)

    assert replica.bucket.hierarchical


def test_a_source_whose_region_azure_copies_nowhere_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="hierarchical=False"):
        copied(hierarchical=True, location="polandcentral")


def test_a_copy_in_the_sources_own_region_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="would be lost with it"):
        copied(hierarchical=True, location="northeurope")
