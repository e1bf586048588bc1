"""The password of a login to RDS or Aurora that is allowed in by IAM: a signature of the pod's own credentials."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import boto3

from aeterna.graph.adapters.iceberg.translation import translated
from aeterna.graph.domain.arrow import untyped

if TYPE_CHECKING:
    from aeterna.graph.adapters.identity import TokenSource
    from aeterna.graph.domain.catalogs import PostgresCatalog


def rds_password(address: PostgresCatalog, region: str) -> TokenSource:
    """Return what signs a password for a quarter of an hour; it is signed here, without asking AWS."""
    client = untyped(boto3).Session(region_name=region).client("rds")
    return partial(_signed, client, address)


def _signed(client: Any, address: PostgresCatalog) -> str:  # noqa: ANN401 - boto3 makes its clients as it runs
    with translated("log in"):
        return client.generate_db_auth_token(DBHostname=address.host, Port=address.port, DBUsername=address.user)
