"""The API's address of its catalog, as Java's drivers understand it."""

from __future__ import annotations

import pytest

from aeterna.spark.domain.catalogs import catalog_properties
from aeterna.spark.errors import CatalogAddressError


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sqlite:////srv/catalog.db", {"type": "jdbc", "uri": "jdbc:sqlite:/srv/catalog.db"}),
        ("postgresql+psycopg://db:6432/graph", {"type": "jdbc", "uri": "jdbc:postgresql://db:6432/graph"}),
        (
            "postgresql://a%40b:p%2Fw@db/graph?sslmode=verify-full&application_name=x",
            {
                "type": "jdbc",
                "uri": "jdbc:postgresql://db:5432/graph?sslmode=verify-full&ApplicationName=x",
                "jdbc.user": "a@b",
                "jdbc.password": "p/w",
            },
        ),
        ("https://catalog.example/iceberg", {"type": "rest", "uri": "https://catalog.example/iceberg"}),
    ],
)
def test_an_address_is_translated(uri: str, expected: dict[str, str]) -> None:
    found = catalog_properties(uri, "/srv/warehouse")

    assert found.pop("jdbc.schema-version", "V1") == "V1"
    assert found == {"warehouse": "/srv/warehouse"} | expected


@pytest.mark.parametrize("uri", ["postgresql+psycopg:///graph?host=/run/postgresql", "mysql://secret@db/graph"])
def test_an_address_that_java_cannot_use_is_refused_without_repeating_it(uri: str) -> None:
    with pytest.raises(CatalogAddressError) as refused:
        catalog_properties(uri, "/srv/warehouse")

    assert uri not in str(refused.value)
    assert "secret" not in str(refused.value)
