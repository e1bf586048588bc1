"""What the vault on Google Cloud is, what fills it, and how it gets to a second region."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.backup import EVERY_HOURS, BackupSpec
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.late import Late
from aeterna.gcp.backup import GcpBackup, GcpBackupCopy
from aeterna.gcp.bucket import GcsBucket
from aeterna.gcp.exports import at_hours
from fixtures.gcp_ground import GroundStack
from fixtures.resource_graph import graph_of, needed_by

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

WEEK = 7 * 86400
SERVER = "p1-abc@gcp-sa-cloud-sql.iam.gserviceaccount.com"


class Server:
    """A database server as an export sees it."""

    database = Late("threads")
    instance_name = Late("prod-threads")
    service_account = Late(SERVER)


def first_region(*, spec: BackupSpec | None = None) -> tuple[GroundStack, GcpBackup]:
    stack = GroundStack("first")
    graph = GcsBucket(stack, "Bucket", BucketSpec(name="acme-graph"), place=stack.place, key=stack.key)
    backup = GcpBackup(
        stack,
        "Backup",
        spec or BackupSpec(name="prod-backup", hour=1),
        place=stack.place,
        key=stack.key,
        protects=[Server(), graph],
    )
    return stack, backup


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack, _ = first_region()
    return stack.document()


@pytest.fixture(scope="module")
def vault(synthesis: Document) -> Json:
    return vault_of(synthesis)


@pytest.fixture(scope="module")
def second_region() -> Document:
    first, source = first_region()
    second = GroundStack("second", region="europe-west1", app=first.app)
    GcpBackupCopy(second, "Backup", BackupSpec(name="prod-backup"), source=source, place=second.place, key=second.key)
    return second.document()


def vault_of(document: Document) -> Json:
    (found,) = (each for id_, each in document.resources("google_storage_bucket").items() if "Vault" in id_)
    return found


def test_a_backup_can_be_neither_replaced_nor_deleted_before_its_time(vault: Json) -> None:
    assert vault["retention_policy"]["retention_period"] == str(WEEK)


def test_the_lock_can_be_taken_off_until_someone_decides_that_it_cannot(vault: Json) -> None:
    """A lock for good outlives every mistake in it, and nobody but the customer may decide that."""
    assert "is_locked" not in vault["retention_policy"]


def test_what_is_deleted_in_the_vault_can_be_brought_back_as_long_again(vault: Json) -> None:
    assert vault["soft_delete_policy"]["retention_duration_seconds"] == WEEK


@pytest.mark.parametrize(("days", "kept"), [(1, 7), (30, 30), (365, 90)])
def test_deleted_backups_are_kept_within_what_cloud_storage_takes(days: int, kept: int) -> None:
    stack, _ = first_region(spec=BackupSpec(name="prod-backup", keep_days=days))

    assert vault_of(stack.document())["soft_delete_policy"]["retention_duration_seconds"] == kept * 86400


def test_a_vault_is_under_the_key_and_closed_to_the_public(vault: Json) -> None:
    assert vault["encryption"]["default_kms_key_name"].startswith("${google_kms_crypto_key.")
    assert vault["public_access_prevention"] == "enforced"
    assert vault["force_destroy"] is False


def test_exports_expire_by_age_and_mirrored_objects_do_not(vault: Json) -> None:
    """An object of a table may be years old and in use."""
    (rule,) = vault["lifecycle_rule"]

    assert rule["condition"] == {"age": 7, "matches_prefix": ["databases/"]}


def test_every_export_has_a_name_of_its_own(synthesis: Document) -> None:
    """A fixed name would be refused in a vault that lets nothing be replaced."""
    program = json.loads(synthesis.only("google_workflows_workflow")["source_contents"].replace("$${", "${"))

    (step,) = program["main"]["steps"]
    assert "time.format(sys.now())" in step["export"]["args"]["body"]["exportContext"]["uri"]


def test_terraform_leaves_the_workflows_own_expressions_alone(synthesis: Document) -> None:
    source = synthesis.only("google_workflows_workflow")["source_contents"]

    assert source.count("${") == source.count("$${") > 0


def test_an_export_puts_no_load_on_the_server(synthesis: Document) -> None:
    assert '"offload": true' in synthesis.only("google_workflows_workflow")["source_contents"]


def test_the_server_may_add_to_the_vault_and_take_nothing_away(synthesis: Document) -> None:
    granted = synthesis.resources("google_storage_bucket_iam_member").values()

    roles = {each["role"] for each in granted if each["member"] == f"serviceAccount:{SERVER}"}

    assert roles == {"roles/storage.objectCreator", "roles/storage.legacyBucketReader"}


def test_the_account_that_asks_for_exports_may_do_nothing_else(synthesis: Document) -> None:
    role = synthesis.only("google_project_iam_custom_role")
    granted = {each["role"] for each in synthesis.resources("google_project_iam_member").values()}

    assert set(role["permissions"]) == {"cloudsql.instances.export", "cloudsql.instances.get"}
    assert {each for each in granted if not each.startswith("${")} == {"roles/workflows.invoker"}


def test_the_first_export_waits_until_it_is_allowed(synthesis: Document) -> None:
    (address,) = (f"google_cloud_scheduler_job.{name}" for name in synthesis.resources("google_cloud_scheduler_job"))

    needed = needed_by(graph_of(synthesis), address)

    assert any(each.startswith("google_storage_bucket_iam_member.") for each in needed)
    assert any(each.startswith("google_project_iam_member.") for each in needed)


def test_backups_begin_at_the_hour_of_the_spec_and_go_on_every_six_hours(synthesis: Document) -> None:
    assert synthesis.only("google_cloud_scheduler_job")["schedule"] == "0 1,7,13,19 * * *"
    assert synthesis.only("google_storage_transfer_job")["schedule"]["repeat_interval"] == f"{6 * 3600}s"


@pytest.mark.parametrize("every", EVERY_HOURS)
@pytest.mark.parametrize("first", [0, 1, 23])
def test_a_day_has_as_many_exports_as_it_divides_into(every: int, first: int) -> None:
    minute, hours, *rest = at_hours(first=first, every=every).split()

    assert (minute, rest) == ("0", ["*", "*", "*"])
    assert len(set(hours.split(","))) == 24 // every
    assert str(first) in hours.split(",")


def test_a_bucket_is_mirrored_into_the_vault(synthesis: Document) -> None:
    spec = synthesis.only("google_storage_transfer_job")["transfer_spec"]

    assert spec["gcs_data_sink"]["path"] == "buckets/1/"
    assert spec["transfer_options"]["delete_objects_unique_in_sink"] is True


def test_a_mirror_may_only_read_the_bucket_that_it_is_of(synthesis: Document) -> None:
    granted = synthesis.resources("google_storage_bucket_iam_member")

    read = {each["role"] for id_, each in granted.items() if "Rights_Read" in id_}

    assert read == {"roles/storage.objectViewer", "roles/storage.legacyBucketReader"}


def test_the_copy_is_a_vault_of_the_second_region_under_a_key_of_that_region(second_region: Document) -> None:
    copy = vault_of(second_region)

    assert copy["location"] == "EUROPE-WEST1"
    assert copy["retention_policy"]["retention_period"] == str(WEEK)
    assert copy["encryption"]["default_kms_key_name"].startswith("${google_kms_crypto_key.")


def test_an_export_that_is_lost_in_the_first_region_is_kept_in_the_second(second_region: Document) -> None:
    jobs = second_region.resources("google_storage_transfer_job").values()

    erases = {
        job["transfer_spec"]["gcs_data_source"]["path"]: job["transfer_spec"]["transfer_options"][
            "delete_objects_unique_in_sink"
        ]
        for job in jobs
    }

    assert erases == {"databases/": False, "buckets/": True}


def test_whoever_copies_the_vault_cannot_change_it(second_region: Document) -> None:
    """A right to change the bucket is a right to take its lock off."""
    granted = second_region.resources("google_storage_bucket_iam_member")

    read = {each["role"] for id_, each in granted.items() if "Rights_Read" in id_}

    assert read == {"roles/storage.objectViewer", "roles/storage.legacyBucketReader"}
