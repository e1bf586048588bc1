"""What an Iceberg catalog has on Azure before its server runs."""

from __future__ import annotations

from aeterna.azure.bucket import BlobBucket
from aeterna.azure.catalog import LakeCatalog
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.catalog import CatalogSpec
from fixtures.azure_stack import AzureStack, Server


def catalog_in(stack: AzureStack, *, hierarchical: bool = True) -> LakeCatalog:
    bucket = BlobBucket(
        stack,
        "Bucket",
        BucketSpec(name="acme-graph"),
        place=stack.place,
        key=stack.key,
        network=stack.network,
        hierarchical=hierarchical,
    )
    return LakeCatalog(stack, "Catalog", CatalogSpec(name="prod-graph"), bucket=bucket, database=Server(stack.place))


def test_the_catalogs_server_has_a_database_of_its_own_that_is_not_destroyed() -> None:
    """Without it the files in the bucket are no longer tables."""
    stack = AzureStack()
    catalog_in(stack)

    database = stack.document().only("azurerm_postgresql_flexible_server_database")

    assert database["name"] == "prod_graph_catalog"
    assert database["lifecycle"]["prevent_destroy"]


def test_a_client_is_told_the_account_and_never_a_key_of_it() -> None:
    properties = catalog_in(AzureStack()).outputs.properties

    assert set(properties) == {"adls.account-name", "adls.account-host"}


def test_the_server_is_asked_inside_the_cluster_alone() -> None:
    assert catalog_in(AzureStack()).outputs.uri == "http://catalog:8181/catalog"


def test_a_flat_bucket_is_warned_of_as_lakekeeper_refuses_it() -> None:
    """Other servers take one, so that it is the reader's to know."""
    (said,) = (entry.data for entry in catalog_in(AzureStack(), hierarchical=False).node.metadata)

    assert "Lakekeeper refuses it" in str(said)


def test_the_namespace_of_the_catalog_is_the_specs() -> None:
    assert catalog_in(AzureStack()).outputs.namespace == "prod_graph"
