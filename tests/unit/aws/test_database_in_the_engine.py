"""The stores as the real engine sees them: accepted, planned, applied, and left alone by the next plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.aws.alerts import CloudWatchAlerts
from aeterna.aws.backup import AwsBackup
from aeterna.aws.bucket import S3Bucket
from aeterna.aws.cache import ElastiCacheValkey
from aeterna.aws.catalog import GlueCatalog, GlueEncryption, S3TablesCatalog
from aeterna.aws.cluster import EksCluster
from aeterna.aws.database import ExistingDatabase, RdsPostgres
from aeterna.aws.policy_document import document
from aeterna.aws.registry import EcrRegistry
from aeterna.contracts.alerts import AlertsSpec
from aeterna.contracts.backup import BackupSpec
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.catalog import CatalogSpec
from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.registry import RegistrySpec
from aeterna.synth.app import TerraformOutput
from fixtures.customer_stack import CLUSTER, CustomerStack
from fixtures.tofu_engine import files_that_hold

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


def database_whose_password_rds_keeps() -> Json:
    stack = CustomerStack()
    spec = DatabaseSpec(name="threads", protected=False)
    RdsPostgres(stack, "Threads", spec, network=stack.network, key=stack.key, managed_password=True)
    return stack.document().json


def existing_database() -> Json:
    stack = CustomerStack()
    facts = ExistingDatabase(identifier="shared")
    database = RdsPostgres.existing(stack, "Threads", facts, key=stack.key, clients=[CLUSTER])
    TerraformOutput(stack, "access", value=document((*database.access(), *database.administer_statements())))
    return stack.document().json


def registry_and_backup_and_alerts() -> Json:
    stack = CustomerStack()
    bucket = S3Bucket(stack, "Files", BucketSpec(name="acme-graph", protected=False), key=stack.key)
    cache = ElastiCacheValkey(stack, "Policy", CacheSpec(name="policy"), network=stack.network, key=stack.key)
    cluster = EksCluster.existing(stack, "Cluster", name="shared")
    EcrRegistry(stack, "Registry", RegistrySpec(name="acme"), key=stack.key)
    AwsBackup(stack, "Backup", BackupSpec(name="vault"), key=stack.key, protects=[bucket])
    spec = AlertsSpec(name="acme", emails=("ops@example.com",))
    CloudWatchAlerts(stack, "Alerts", spec, key=stack.key, watches=[cluster, cache])
    return stack.document().json


@pytest.mark.parametrize(
    "configuration",
    [
        database,
        database_whose_password_rds_keeps,
        existing_database,
        cache,
        glue,
        tables,
        registry_and_backup_and_alerts,
    ],
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


def test_the_administrators_password_is_in_no_file_once_everything_is_applied(tofu: Engine, tmp_path: Path) -> None:
    """Plan, state and everything else that the engine wrote; the provider of the tests begins the password so."""
    workspace = tofu.workspace(tmp_path, database())
    workspace.init()
    workspace.plan()
    workspace.apply()

    assert files_that_hold('"result-', tmp_path) == []
