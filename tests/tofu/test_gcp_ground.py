"""What everything else stands on at Google Cloud, in the real engine: two regions, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.backup import BackupSpec
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.catalog import CatalogSpec
from aeterna.contracts.cluster import ClusterOutputs
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.late import Late
from aeterna.contracts.network import NetworkSpec
from aeterna.contracts.registry import RegistrySpec
from aeterna.contracts.state import StateStoreSpec
from aeterna.gcp.backup import GcpBackup, GcpBackupCopy
from aeterna.gcp.bucket import GcsBucket
from aeterna.gcp.bucket_replica import GcsBucketReplica
from aeterna.gcp.catalog import BigLakeCatalog
from aeterna.gcp.cluster_backup import GkeBackup
from aeterna.gcp.keys import GcpKey
from aeterna.gcp.l1.provider import GoogleProvider
from aeterna.gcp.network import GcpNetwork
from aeterna.gcp.place import GcpPlace
from aeterna.gcp.registry import ArtifactRegistry
from aeterna.gcp.state import GcsStateStore
from aeterna.synth.app import App, TerraformOutput, TerraformStack
from aeterna.synth.backends import keep_beside
from aeterna.synth.lowering import lower

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.tofu_engine import Engine, Workspace

pytestmark = [pytest.mark.needs("go"), pytest.mark.timeout(1800)]

FIRST, SECOND = "first", "second"


class Server:
    """A database server as an export sees it."""

    database = Late("threads")
    instance_name = Late("prod-threads")
    service_account = Late("p1-abc@gcp-sa-cloud-sql.iam.gserviceaccount.com")


class Cluster:
    """A cluster as its backup sees it."""

    location = "europe-west4"
    outputs = ClusterOutputs(
        name=Late("prod"), endpoint=Late("e"), certificate_authority=Late("a"), issuer=Late("i"), version=Late("v")
    )


class Region(TerraformStack):
    """A stack with a provider, a place and keys in one region."""

    def __init__(self, app: App, id_: str, *, region: str) -> None:
        super().__init__(app, id_)
        GoogleProvider(self, "google", project="acme", region=region)
        keep_beside(self)
        self.place = GcpPlace(self, "Place", region=region)

    def key(self, purpose: str) -> GcpKey:
        """Return a key of one purpose."""
        return GcpKey(self, f"{purpose}Key", KeySpec(purpose=purpose, environment="prod"), place=self.place)


def synthesized_to(folder: Path) -> None:
    """Write both regions."""
    app = App(outdir=str(folder))
    first = Region(app, FIRST, region="europe-west4")
    place, graph = first.place, first.key("graph")
    network = GcpNetwork(first, "Network", NetworkSpec(name="prod"), place=place, key=first.key("network"))
    bucket = GcsBucket(first, "Bucket", BucketSpec(name="acme-prod-graph"), place=place, key=graph)
    catalog = BigLakeCatalog(first, "Catalog", CatalogSpec(name="prod"), place=place, key=graph, bucket=bucket)
    registry = ArtifactRegistry(first, "Registry", RegistrySpec(name="acme"), place=place, key=first.key("registry"))
    backup = GcpBackup(
        first,
        "Backup",
        BackupSpec(name="prod-backup"),
        place=place,
        key=first.key("backup"),
        protects=[Server(), bucket],
    )
    state = GcsStateStore(first, "State", StateStoreSpec(name="acme-state"), place=place, key=first.key("state"))
    workload = Late("graph-api@acme.iam.gserviceaccount.com")
    for store in (bucket, catalog, registry):
        store.grant_to(first, f"Use{store.node.id}", email=workload)
    ranges = [network.pods_range, network.services_range("172.20.0.0/16")]
    handles = (place, network, bucket, catalog, registry, backup, state)
    told = [lower(handle.outputs, FIRST) for handle in handles]
    TerraformOutput(first, "told", value=[ranges, *told])
    second = Region(app, SECOND, region="europe-west1")
    GcsBucketReplica(
        second,
        "Bucket",
        BucketSpec(name="acme-prod-copy"),
        source=bucket,
        place=second.place,
        key=second.key("graph"),
    )
    GcpBackupCopy(
        second, "Backup", BackupSpec(name="prod-backup"), source=backup, place=second.place, key=second.key("backup")
    )
    cluster = BackupSpec(name="prod-cluster")
    GkeBackup(second, "Cluster", cluster, place=second.place, key=second.key("cluster"), cluster=Cluster())
    app.synth()


def ready(tofu: Engine, folder: Path, name: str) -> Workspace:
    """Return one stack, ready to be planned."""
    workspace = tofu.workspace(folder / "stacks" / name)
    workspace.init()
    return workspace


def test_the_engine_finds_nothing_wrong_with_what_either_region_is_asked_for(tofu: Engine, tmp_path: Path) -> None:
    """Unknown, missing and wrongly typed arguments, and those that the provider calls deprecated."""
    synthesized_to(tmp_path)

    problems = [problem for name in (FIRST, SECOND) for problem in ready(tofu, tmp_path, name).problems()]

    assert problems == []


def test_both_regions_are_planned_and_made_one_after_the_other(tofu: Engine, tmp_path: Path) -> None:
    synthesized_to(tmp_path)

    for name in (FIRST, SECOND):
        workspace = ready(tofu, tmp_path, name)
        workspace.plan()
        workspace.apply()

        assert not workspace.has_changes()
