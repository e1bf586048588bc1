"""The Glue Data Catalog, reached by the identity of the pod."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import IncompleteReadError
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.typedef import EMPTY_DICT
from typing_extensions import override

from aeterna.graph.adapters.iceberg.catalogs.opened import CATALOG_NAME, OpenCatalog
from aeterna.graph.adapters.iceberg.translation import translated
from aeterna.graph.adapters.iceberg.warehouse_io import without_class
from aeterna.graph.domain.arrow import untyped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyiceberg.io import FileIO
    from pyiceberg.typedef import Properties

    from aeterna.graph.domain import catalogs


class WholeAnswer(Protocol):
    """The part of botocore's untyped answer that is looked at."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers as they came."""
        ...

    @property
    def content(self) -> bytes:
        """What came behind them."""
        ...


class WarehouseGlueCatalog(GlueCatalog):
    """pyiceberg's catalog, which opens files as it was told and not as a table tells it to."""

    @override
    def _load_file_io(self, properties: Properties = EMPTY_DICT, location: str | None = None) -> FileIO:
        return super()._load_file_io(without_class(properties), location)


# boto3 would wait a minute and try ten times: longer than any client of ours waits for its answer.
_PATIENCE: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4})


def glue_catalog(address: catalogs.GlueCatalog, files: Mapping[str, str]) -> OpenCatalog:
    """Make a client with the credentials that boto3 finds by itself; nothing is asked before the first use."""
    with translated("open the catalog"):
        client = untyped(boto3).Session(region_name=address.region).client("glue", config=_PATIENCE)
        if address.account is not None:
            client.meta.events.register("provide-client-params.glue", partial(_name_account, address.account))
        client.meta.events.register("after-call.glue", _require_whole)
        catalog = WarehouseGlueCatalog(CATALOG_NAME, client, **files)
    return OpenCatalog(catalog=catalog, close=client.close, namespace=address.namespace)


def _name_account(account: str, params: dict[str, str], **_: object) -> None:
    # Returns nothing: botocore would send what a handler returns in place of the parameters.
    params.setdefault("CatalogId", account)


def _require_whole(http_response: WholeAnswer, **_: object) -> None:
    # botocore takes an answer that was cut off on its way for an empty one.
    expected, found = http_response.headers.get("Content-Length"), len(http_response.content)
    if expected is not None and int(expected) != found:
        raise IncompleteReadError(actual_bytes=found, expected_bytes=int(expected))
