"""Addresses of catalogs and warehouses are parsed once, say where and never with which key, and fail in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from aeterna.graph.domain.catalogs import (
    AwsLogin,
    AzureLogin,
    CatalogAddress,
    ExchangeLogin,
    FileLogin,
    GlueCatalog,
    GoogleLogin,
    NoLogin,
    PostgresCatalog,
    RestCatalog,
    SqliteCatalog,
    Warehouse,
    catalog_of,
    warehouse_of,
)


def _postgres(**changes: object) -> PostgresCatalog:
    values = {
        "host": "db.example",
        "port": 5432,
        "database": "graphs",
        "user": "api",
        "login": NoLogin(),
        "tls": "verify-full",
        "tls_roots": None,
    }
    return PostgresCatalog(**{**values, **changes})  # pyright: ignore[reportArgumentType] - as a test writes it


@pytest.mark.parametrize(
    ("address", "meaning"),
    [
        ("sqlite:////var/lib/c.db", SqliteCatalog(path=Path("/var/lib/c.db"))),
        ("sqlite:///c.db", SqliteCatalog(path=Path("c.db"))),
        ("glue://eu-central-1", GlueCatalog(region="eu-central-1")),
        ("glue://eu-central-1?account=123456789012", GlueCatalog(region="eu-central-1", account="123456789012")),
        ("postgresql://api@db.example/graphs", _postgres()),
        (
            "postgresql://api@db.example:6432/graphs?auth=file&token_file=/run/t&sslrootcert=/ca.pem",
            _postgres(port=6432, login=FileLogin(path=Path("/run/t")), tls_roots="/ca.pem"),
        ),
        ("postgresql://api@db.example/graphs?auth=aws&region=r", _postgres(login=AwsLogin(region="r"))),
        (
            "postgresql://api@db.example/graphs?auth=azure",
            _postgres(login=AzureLogin(scope="https://ossrdbms-aad.database.windows.net/.default")),
        ),
        ("postgresql://api%40p.iam@db.example/graphs?auth=google", _postgres(user="api@p.iam", login=GoogleLogin())),
        ("postgresql://db.example/graphs?auth=none&user=api@p.iam", _postgres(user="api@p.iam")),
        ("postgresql://api@/graphs?host=/run/pg", _postgres(host="/run/pg", tls="disable")),
        (
            "http://catalog:8181/catalog?warehouse=eu-graph&auth=azure&scope=s&namespace=eu_graph",
            RestCatalog(
                uri="http://catalog:8181/catalog",
                warehouse="eu-graph",
                login=AzureLogin(scope="s"),
                namespace="eu_graph",
            ),
        ),
        (
            "http://catalog.lake.svc.cluster.local:8181",
            RestCatalog(uri="http://catalog.lake.svc.cluster.local:8181", warehouse=None, login=NoLogin()),
        ),
        ("http://127.0.0.1:8181/", RestCatalog(uri="http://127.0.0.1:8181", warehouse=None, login=NoLogin())),
        (
            "https://biglake.googleapis.com/iceberg/v1/restcatalog?warehouse=gs://b&auth=google&project=p",
            RestCatalog(
                uri="https://biglake.googleapis.com/iceberg/v1/restcatalog",
                warehouse="gs://b",
                login=GoogleLogin(project="p"),
            ),
        ),
        (
            "https://glue.eu-central-1.amazonaws.com/iceberg?warehouse=1&auth=aws&region=eu-central-1",
            RestCatalog(
                uri="https://glue.eu-central-1.amazonaws.com/iceberg",
                warehouse="1",
                login=AwsLogin(region="eu-central-1", service="glue"),
            ),
        ),
        (
            "https://lake.example?auth=exchange&token_file=/t&token_uri=https://idp.example/token&scope=s",
            RestCatalog(
                uri="https://lake.example",
                warehouse=None,
                login=ExchangeLogin(path=Path("/t"), token_uri="https://idp.example/token", scope="s"),
            ),
        ),
    ],
)
def test_an_address_says_which_catalog_and_how_to_log_in(address: str, meaning: CatalogAddress) -> None:
    assert catalog_of(address) == meaning


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("mysql://x", "a catalog begins with"),
        ("postgresql://api:s3cret@db.example/graphs", "static key"),
        ("https://user:s3cret@lake.example", "static key"),
        ("https://user@lake.example", "https://HOST/PATH"),
        ("http://lake.example", "http:// shows every token"),
        ("https://lake.example?token=s3cret", "unknown options"),
        ("https://lake.example?credential=id:s3cret", "unknown options"),
        ("https://lake.example?auth=basic", "auth= is none, file"),
        ("https://lake.example?auth=file", "token_file= is missing"),
        ("https://lake.example?auth=exchange&token_file=/t&token_uri=http://idp.example", "over https://"),
        ("glue://eu-central-1?access_key=s3cret", "unknown options"),
        ("glue://", "glue://REGION"),
        ("glue://eu-central-1?namespace=Ours", "namespace= is small"),
        ("http://catalog.example.svc.evil.example:8181", "http:// shows every token"),
        ("postgresql://db.example/graphs", "postgresql://USER"),
        ("postgresql://api@db.example/graphs?password=s3cret", "unknown options"),
        ("postgresql://api@db.example/graphs?port=0&host=x", "port"),
        ("sqlite://host/x.db", "sqlite:////"),
        ("sqlite:///x.db?key=s3cret", "unknown options"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_without_showing_it(address: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice) as raised:
        catalog_of(address)

    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("address", "meaning"),
    [
        ("/var/lib/warehouse", Warehouse(location="/var/lib/warehouse")),
        ("s3://b/p?region=eu-central-1", Warehouse(location="s3://b/p", region="eu-central-1")),
        ("s3://b?endpoint=https://vpce.example", Warehouse(location="s3://b", endpoint="https://vpce.example")),
        ("gs://b/p/", Warehouse(location="gs://b/p")),
        (
            "abfss://c@acc.dfs.core.windows.net/p",
            Warehouse(location="abfss://c@acc.dfs.core.windows.net/p", account="acc"),
        ),
    ],
)
def test_a_warehouse_is_a_folder_or_a_bucket(address: str, meaning: Warehouse) -> None:
    assert warehouse_of(address) == meaning


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("s3://key:s3cret@b/p", "static key"),
        ("s3://b?access_key_id=s3cret", "unknown options"),
        ("s3://b?endpoint=http://far.example", "over https://"),
        ("abfss://c/p", "CONTAINER@ACCOUNT"),
        ("abfss://c@acc.dfs.core.windows.net/p?sas=s3cret", "unknown options"),
        ("gs://b?token=s3cret", "unknown options"),
        ("hdfs://b", "a warehouse is"),
    ],
)
def test_no_key_fits_into_a_warehouse(address: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice) as raised:
        warehouse_of(address)

    assert "s3cret" not in str(raised.value)
