"""What backs up a cluster on Google Cloud, for those who keep something in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.backup import BackupSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.gcp.cluster_backup import GkeBackup
from aeterna.gcp.place import GcpPlace
from fixtures.gcp_ground import GroundStack
from fixtures.gcp_stack import GoogleStack
from fixtures.resource_graph import graph_of, needed_by

if TYPE_CHECKING:
    from aeterna.synth.testing import Document


@pytest.fixture(scope="module")
def synthesis() -> Document:
    """Return a plan in another region than its cluster."""
    customers = GoogleStack()
    second = GroundStack("second", region="europe-west1", app=customers.app)
    spec = BackupSpec(name="prod-cluster", hour=1, keep_days=120)
    GkeBackup(second, "Backup", spec, place=second.place, key=second.key, cluster=customers.cluster())
    return second.document()


def test_backups_are_under_a_key_of_the_region_that_they_are_kept_in(synthesis: Document) -> None:
    plan = synthesis.only("google_gke_backup_backup_plan")
    (ring,) = synthesis.resources("google_kms_key_ring").values()

    assert plan["location"] == ring["location"] == "europe-west1"
    assert "/locations/europe-west4/clusters/" in plan["cluster"]
    assert plan["backup_config"]["encryption_key"]["gcp_kms_encryption_key"].startswith("${google_kms_crypto_key.")


def test_the_service_may_use_the_key_before_the_plan_is_made(synthesis: Document) -> None:
    (address,) = (
        f"google_gke_backup_backup_plan.{name}" for name in synthesis.resources("google_gke_backup_backup_plan")
    )

    needed = needed_by(graph_of(synthesis), address)

    assert any(each.startswith("google_kms_crypto_key_iam_member.") for each in needed)
    assert "gcp-sa-gkebackup" in synthesis.only("google_kms_crypto_key_iam_member")["member"]


def test_a_backup_cannot_be_deleted_before_its_time_as_far_as_the_service_goes(synthesis: Document) -> None:
    retention = synthesis.only("google_gke_backup_backup_plan")["retention_policy"]

    assert retention == {"backup_retain_days": 120, "backup_delete_lock_days": 90}


def test_a_key_of_the_clusters_region_is_refused_for_backups_kept_elsewhere() -> None:
    stack = GoogleStack()
    elsewhere = GcpPlace(stack, "Elsewhere", region="europe-west1")

    with pytest.raises(InvalidSpecError, match="europe-west1"):
        GkeBackup(stack, "Backup", BackupSpec(name="b"), place=elsewhere, key=stack.key, cluster=stack.cluster())
