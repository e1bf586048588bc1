"""Catalogs behind Iceberg's REST protocol: a server of one's own, AWS's and Google's."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.catalog.rest.auth import AuthManager
from pyiceberg.exceptions import CommitStateUnknownException
from pyiceberg.typedef import EMPTY_DICT
from typing_extensions import override

from aeterna.graph.adapters.iceberg.catalogs.opened import CATALOG_NAME, OpenCatalog
from aeterna.graph.adapters.iceberg.translation import translated
from aeterna.graph.adapters.iceberg.warehouse_io import without_class
from aeterna.graph.domain import catalogs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyiceberg.io import FileIO
    from pyiceberg.table import CommitTableResponse, Table
    from pyiceberg.table.update import TableRequirement, TableUpdate
    from pyiceberg.typedef import Properties
    from requests import Session

    from aeterna.graph.adapters.identity import TokenSource

_TIMEOUT: Final = (5.0, 30.0)  # seconds to connect and between two parts of an answer; pyiceberg has no limit at all


class BearerAuthManager(AuthManager):
    """Sends the token of a `TokenSource`, asked anew for each request."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    @override
    def auth_header(self) -> str:
        return f"Bearer {self._source()}"


class TimedRestCatalog(RestCatalog):
    """pyiceberg's catalog that waits for a limited time, and knows an answer that it cannot read for what it is."""

    @override
    def _create_session(self) -> Session:
        session = super()._create_session()
        # Any: the attribute is a method, and is called with whatever requests itself passes.
        waiting: Any = session
        waiting.request = partial(session.request, timeout=_TIMEOUT)
        return session

    @override
    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        try:
            return super().commit_table(table, requirements, updates)
        except ValueError as unreadable:
            # The server did answer, with a success that was cut off or rewritten on its way.
            raise CommitStateUnknownException(str(unreadable)) from unreadable

    @override
    def _load_file_io(self, properties: Properties = EMPTY_DICT, location: str | None = None) -> FileIO:
        return super()._load_file_io(without_class(properties), location)


def rest_catalog(address: catalogs.RestCatalog, files: Mapping[str, str], *, token: TokenSource | None) -> OpenCatalog:
    """Ask the server for its configuration; ``token`` goes with every request."""
    with translated("open the catalog"):
        catalog = TimedRestCatalog(CATALOG_NAME, **rest_properties(address, files, token=token))
    return OpenCatalog(catalog=catalog, close=catalog.close, namespace=address.namespace)


def rest_properties(
    address: catalogs.RestCatalog, files: Mapping[str, str], *, token: TokenSource | None
) -> dict[str, Any]:
    """Return what pyiceberg is told, by the names of the Iceberg REST specification; Any: it nests the login's part."""
    # A REST catalog is asked for a warehouse by its name; where the files are, it says itself.
    properties: dict[str, Any] = {key: value for key, value in files.items() if key != "warehouse"}
    properties |= {"uri": address.uri, "auth": {"type": "noop"}}
    if address.warehouse is not None:
        properties["warehouse"] = address.warehouse
    if token is not None:
        impl = f"{BearerAuthManager.__module__}.{BearerAuthManager.__qualname__}"
        properties["auth"] = {"type": "custom", "impl": impl, "custom": {"source": token}}
    match address.login:
        case catalogs.AwsLogin(region=region, service=service):
            properties |= {
                "rest.sigv4-enabled": "true",
                "rest.signing-region": region,
                "rest.signing-name": service,
                "client.region": region,
            }
        case catalogs.GoogleLogin(project=str(project)):
            properties["header.x-goog-user-project"] = project
        case _:
            pass
    return properties
