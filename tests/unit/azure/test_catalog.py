"""What an Iceberg catalog is on Azure: a database, which graphs speak to by themselves."""

from __future__ import annotations

from aeterna.azure.bucket import BlobBucket
from aeterna.azure.catalog import LakeCatalog
from aeterna.azure.identity import HasLogin
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.catalog import CatalogSpec
from aeterna.contracts.late import Late
from aeterna.graph.domain.catalogs import AzureLogin, PostgresCatalog, catalog_of
from aeterna.synth.app import TerraformOutput
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


def test_the_catalog_has_a_database_of_its_own_that_is_not_destroyed() -> None:
    """Without it the files in the bucket are no longer tables."""
    stack = AzureStack()
    catalog_in(stack)

    database = stack.document().only("azurerm_postgresql_flexible_server_database")

    assert database["name"] == "prod_graph_catalog"
    assert database["lifecycle"]["prevent_destroy"]


def test_a_client_is_told_the_account_and_never_a_key_of_it() -> None:
    properties = catalog_in(AzureStack()).outputs.properties

    assert set(properties) == {"adls.account-name", "adls.account-host"}


def test_a_server_of_the_customers_own_is_asked_inside_the_cluster_alone() -> None:
    assert catalog_in(AzureStack()).outputs.uri == "http://catalog:8181/catalog"


def test_a_graph_is_told_the_database_itself_and_logs_in_as_the_pods_own_identity() -> None:
    stack = AzureStack()
    catalog = catalog_in(stack)
    TerraformOutput(stack, "address", value=f"{catalog.outputs.address}&user=prod-graph-api")

    told = str(stack.document().outputs()["address"]["value"])

    at, _, rest = told.partition("${")
    name, _, options = rest.partition("}")
    assert name.startswith("azurerm_postgresql_flexible_server_database.")
    address = catalog_of(f"{at}prod_graph_catalog{options}")
    assert isinstance(address, PostgresCatalog)
    assert (address.host, address.port, address.user) == ("db.example", 5432, "prod-graph-api")
    assert isinstance(address.login, AzureLogin)
    assert (address.tls, address.namespace) == ("verify-full", "prod_graph")


def test_an_identity_logs_in_under_its_own_name() -> None:
    catalog = catalog_in(AzureStack())

    assert catalog.login(principal_id=Late("0d5c"), name=Late("prod-graph-api")) == "prod-graph-api"
    assert isinstance(catalog, HasLogin)


def test_a_flat_bucket_is_warned_of_as_lakekeeper_refuses_it() -> None:
    """Other servers take one, so that it is the reader's to know."""
    (said,) = (entry.data for entry in catalog_in(AzureStack(), hierarchical=False).node.metadata)

    assert "Lakekeeper refuses it" in str(said)


def test_the_namespace_of_the_catalog_is_the_specs() -> None:
    assert catalog_in(AzureStack()).outputs.namespace == "prod_graph"
