"""The catalog of the graph API in the words of Iceberg's catalogs for Java, so that both see the same tables."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from aeterna.spark.errors import CatalogAddressError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

CATALOG: Final = "aeterna"  # pyiceberg wrote this name into the catalog's tables; another name sees none of them
_SQLITE: Final = "sqlite:///"
_REST: Final = frozenset({"http", "https"})
_POSTGRESQL: Final = frozenset({"postgresql", "postgresql+psycopg"})
# What libpq calls differently from PostgreSQL's driver for Java; other parameters have the same name in both.
_JAVA_NAMES: Final[Mapping[str, str]] = MappingProxyType({"application_name": "ApplicationName"})


def catalog_properties(uri: str, warehouse: str) -> dict[str, str]:
    """Return the properties of Spark's catalog for the API's ``catalog_uri`` and ``warehouse``.

    Raise `CatalogAddressError` for what Java has no driver for.
    """
    properties = {"warehouse": warehouse}
    scheme = uri.partition(":")[0]
    if uri.startswith(_SQLITE):
        return properties | _jdbc(f"jdbc:sqlite:{uri.removeprefix(_SQLITE)}")
    if scheme in _POSTGRESQL:
        return properties | _postgresql(urlsplit(uri))
    if scheme in _REST:
        return properties | {"type": "rest", "uri": uri}
    if scheme == "glue":
        return properties | {
            "catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
            "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        }
    raise CatalogAddressError(f"begins with {scheme!r}: Spark needs sqlite, postgresql, http, https or glue")


def _jdbc(address: str) -> dict[str, str]:
    # V1 is the schema with the type of each entry, which pyiceberg makes too.
    return {"type": "jdbc", "uri": address, "jdbc.schema-version": "V1"}


def _postgresql(address: SplitResult) -> dict[str, str]:
    if not address.hostname:
        raise CatalogAddressError("names no host: PostgreSQL's driver for Java has no Unix sockets")
    parameters = urlencode([(_JAVA_NAMES.get(name, name), value) for name, value in parse_qsl(address.query)])
    found = _jdbc(
        f"jdbc:postgresql://{address.hostname}:{address.port or 5432}{address.path}"
        + (f"?{parameters}" if parameters else "")
    )
    if address.username:
        found["jdbc.user"] = unquote(address.username)
    if address.password:
        found["jdbc.password"] = unquote(address.password)
    return found
