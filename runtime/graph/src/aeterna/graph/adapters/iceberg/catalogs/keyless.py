"""Refuses keys that do not end: what the drivers would find by themselves in the environment of the process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.catalogs import AwsLogin, GlueCatalog, PostgresCatalog, RestCatalog
from aeterna.graph.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.graph.domain.catalogs import CatalogAddress, Warehouse

# How boto3 says that it found a key which somebody wrote down.
_WRITTEN_DOWN: Final = frozenset({"env", "shared-credentials-file", "config-file", "boto-config"})
_AZURE_KEYS: Final = ("AZURE_CLIENT_SECRET", "AZURE_PASSWORD", "AZURE_STORAGE_KEY", "AZURE_STORAGE_CONNECTION_STRING")


def refuse_static_keys(address: CatalogAddress, warehouse: Warehouse, environment: Mapping[str, str]) -> None:
    """Raise `StorageError` when the catalog or the warehouse would be opened with a static key."""
    signs = isinstance(address, GlueCatalog) or (
        isinstance(address, PostgresCatalog | RestCatalog) and isinstance(address.login, AwsLogin)
    )
    if signs or warehouse.scheme == "s3":
        _refuse_aws()
    if warehouse.scheme == "gs":
        _refuse_google(environment)
    if warehouse.scheme == "abfss":
        _refuse_azure(environment)


def _refuse_aws() -> None:
    import boto3  # noqa: PLC0415 - 0.2 s that only those pay who are on AWS

    credentials = untyped(boto3).Session().get_credentials()
    if credentials is not None and credentials.method in _WRITTEN_DOWN:
        raise _refusal(f"AWS credentials of the kind {credentials.method!r}: give the pod a role (IRSA, Pod Identity)")


def _refuse_google(environment: Mapping[str, str]) -> None:
    named = environment.get("GOOGLE_APPLICATION_CREDENTIALS")
    if not named:
        return
    try:
        kind = json.loads(Path(named).read_text()).get("type")
    except (OSError, ValueError, AttributeError) as unreadable:
        raise _refusal("GOOGLE_APPLICATION_CREDENTIALS names a file that cannot be read") from unreadable
    if kind != "external_account":
        raise _refusal(f"GOOGLE_APPLICATION_CREDENTIALS of the type {kind!r}: use Workload Identity")


def _refuse_azure(environment: Mapping[str, str]) -> None:
    for name in _AZURE_KEYS:
        if environment.get(name):
            raise _refusal(f"{name} is set: use workload identity")


def _refusal(reason: str) -> StorageError:
    return StorageError("open the catalog", f"static keys are refused. There are {reason}")
