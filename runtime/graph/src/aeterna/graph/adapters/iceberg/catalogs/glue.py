"""The Glue Data Catalog, reached by the identity of the pod."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import IncompleteReadError
from pyiceberg.catalog.glue import GlueCatalog

from aeterna.graph.adapters.iceberg.catalogs.opened import CATALOG_NAME, OpenCatalog
from aeterna.graph.adapters.iceberg.translation import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSResponse

    from aeterna.graph.domain import catalogs

# boto3 would wait a minute and try ten times: longer than any client of ours waits for its answer.
_PATIENCE: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4})


def glue_catalog(address: catalogs.GlueCatalog, files: Mapping[str, str]) -> OpenCatalog:
    """Make a client with the credentials that boto3 finds by itself; nothing is asked before the first use."""
    with translated("open the catalog"):
        client = boto3.Session(region_name=address.region).client("glue", config=_PATIENCE)
        if address.account is not None:
            client.meta.events.register("provide-client-params.glue", partial(_name_account, address.account))
        client.meta.events.register("after-call.glue", _require_whole)
        catalog = GlueCatalog(CATALOG_NAME, client, **files)
    return OpenCatalog(catalog=catalog, close=client.close)


def _name_account(account: str, params: dict[str, str], **_: object) -> None:
    # Returns nothing: botocore would send what a handler returns in place of the parameters.
    params.setdefault("CatalogId", account)


def _require_whole(http_response: AWSResponse, **_: object) -> None:
    # botocore takes an answer that was cut off on its way for an empty one.
    expected, found = http_response.headers.get("Content-Length"), len(http_response.content)
    if expected is not None and int(expected) != found:
        raise IncompleteReadError(actual_bytes=found, expected_bytes=int(expected))
