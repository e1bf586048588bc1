"""What a foundation's defaults leave out on Azure, in the real engine: flat buckets, shared ways out, states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.azure.backup import AzureBackup, AzureBackupCopy, BackupVault
from aeterna.azure.bucket import BlobBucket
from aeterna.azure.bucket_replica import BlobReplica
from aeterna.azure.cluster import AksCluster
from aeterna.azure.cluster_backup import AksBackup
from aeterna.azure.keys import AzureKey
from aeterna.azure.registry import ContainerRegistry
from aeterna.azure.scanning import ImageScanning
from aeterna.azure.state import StateStore
from aeterna.contracts.backup import BackupSpec
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.network import Egress, NetworkSpec
from aeterna.contracts.registry import RegistrySpec
from aeterna.contracts.state import StateStoreSpec
from fixtures.azure_stack import AzureStack, SecondRegion, Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aeterna.synth.testing import Json
    from fixtures.tofu_engine import Engine

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]


def flat_with_copies() -> Json:
    stack = AzureStack()
    second = SecondRegion(stack)
    place, key, network = stack.place, stack.key, stack.network
    spec = BucketSpec(name="acme-prod-westeurope-graph")
    bucket = BlobBucket(stack, "Bucket", spec, place=place, key=key, network=network, hierarchical=False)
    copy = BucketSpec(name="acme-prod-northeurope-graph")
    BlobReplica(stack, "Replica", copy, source=bucket, place=second.place, key=second.key, network=second.network)
    protects = [Server(place), bucket]
    backup = AzureBackup(stack, "Backup", BackupSpec(name="prod"), place=place, key=key, protects=protects)
    AzureBackupCopy(stack, "Copy", BackupSpec(name="prod"), source=backup, place=second.place, key=second.key)
    return stack.document().json


def hierarchical_with_a_copy() -> Json:
    stack = AzureStack()
    second = SecondRegion(stack)
    spec = BucketSpec(name="acme-prod-westeurope-graph")
    bucket = BlobBucket(stack, "Bucket", spec, place=stack.place, key=stack.key, network=stack.network)
    copy = BucketSpec(name="acme-prod-northeurope-graph")
    BlobReplica(stack, "Replica", copy, source=bucket, place=second.place, key=second.key, network=second.network)
    return stack.document().json


def network_with_one_way_out() -> Json:
    stack = AzureStack()
    stack.made_network(NetworkSpec(name="dev", zones=2, egress=Egress.SHARED, private_endpoints=False))
    return stack.document().json


def keys_with_administrators() -> Json:
    stack = AzureStack()
    spec = KeySpec(purpose="other", environment="prod", administrators=("00000000-0000-0000-0000-000000000001",))
    AzureKey(stack, "Other", spec, place=stack.place, hardware=True)
    return stack.document().json


def cluster_with_a_backup() -> Json:
    stack = AzureStack()
    place, key, network = stack.place, stack.key, stack.network
    spec = BackupSpec(name="prod")
    vault = BackupVault(stack, "Vault", spec, place=place, key=key)
    cluster = AksCluster.existing(stack, "Cluster", name="prod", group="shared", place=place)
    AksBackup(stack, "Backup", spec, place=place, key=key, network=network, cluster=cluster, vault=vault)
    ImageScanning(stack, "Scanning")
    return stack.document().json


def registry_and_states() -> Json:
    stack = AzureStack()
    spec = RegistrySpec(name="acme")
    ContainerRegistry(stack, "Registry", spec, place=stack.place, key=stack.key, network=stack.network)
    states = StateStoreSpec(name="acme-prod-westeurope-state")
    StateStore(stack, "States", states, place=stack.place, key=stack.key, runners=["8.8.8.8/32", "8.8.4.0/24"])
    return stack.document().json


@pytest.mark.parametrize(
    "configuration",
    [
        flat_with_copies,
        hierarchical_with_a_copy,
        network_with_one_way_out,
        cluster_with_a_backup,
        keys_with_administrators,
        registry_and_states,
    ],
)
def test_the_engine_accepts_and_applies_it_and_finds_nothing_to_change_afterwards(
    configuration: Callable[[], Json], tofu: Engine, tmp_path: Path
) -> None:
    workspace = tofu.workspace(tmp_path, configuration())
    workspace.init()

    assert workspace.problems() == []
    workspace.plan()
    workspace.apply()
    assert not workspace.has_changes()
