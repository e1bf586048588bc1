"""The stores as the real engine sees them: accepted, planned, applied, and left alone by the next plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.aws.bucket import S3Bucket
from aeterna.aws.cache import ElastiCacheValkey
from aeterna.aws.catalog import GlueCatalog, GlueEncryption, S3TablesCatalog
from aeterna.aws.database import RdsPostgres
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.catalog import CatalogSpec
from aeterna.contracts.database import DatabaseSpec
from fixtures.customer_stack import CLUSTER, CustomerStack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aeterna.synth.testing import Json
    from fixtures.tofu_engine import Engine

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]


def database() -> Json:
    stack = CustomerStack()
    RdsPostgres(stack, "Threads", DatabaseSpec(name="threads"), network=stack.network, key=stack.key, clients=[CLUSTER])
    return stack.document().json


def cache() -> Json:
    stack = CustomerStack()
    ElastiCacheValkey(
        stack, "Policy", CacheSpec(name="policy"), network=stack.network, key=stack.key, clients=[CLUSTER]
    )
    return stack.document().json


def glue() -> Json:
    stack = CustomerStack()
    bucket = S3Bucket(stack, "Files", BucketSpec(name="acme-graph", access_log_bucket="acme-logs"), key=stack.key)
    GlueEncryption(stack, "CatalogEncryption", key=stack.key)
    GlueCatalog(stack, "Catalog", CatalogSpec(name="acme-graph"), bucket=bucket, key=stack.key)
    return stack.document().json


def tables() -> Json:
    stack = CustomerStack()
    S3TablesCatalog(stack, "Tables", CatalogSpec(name="acme-tables"), key=stack.key)
    return stack.document().json


@pytest.mark.parametrize(
    "configuration",
    [database, cache, glue, tables],
)
def test_the_engine_accepts_and_applies_a_store_and_finds_nothing_to_change_afterwards(
    configuration: Callable[[], Json], tofu: Engine, tmp_path: Path
) -> None:
    """The clock in a final snapshot's name would otherwise change it at every plan."""
    workspace = tofu.workspace(tmp_path, configuration())
    workspace.init()

    assert workspace.problems() == []
    workspace.plan()
    workspace.apply()
    assert not workspace.has_changes()
