"""What a vault for backups is on AWS, and when and where backups of what are put into it."""

from __future__ import annotations

import json

import pytest

from aeterna.aws.backup import AwsBackup, AwsBackupCopy, schedule
from aeterna.aws.bucket import S3Bucket
from aeterna.aws.database import RdsPostgres
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.provider import AwsProvider
from aeterna.contracts.backup import BackupSpec
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeySpec
from aeterna.synth.app import TerraformStack
from aeterna.synth.testing import Document, synthesized
from fixtures.customer_stack import CustomerStack

SPEC = BackupSpec(name="vault")


def backup_in(stack: CustomerStack, spec: BackupSpec = SPEC, *, database: DatabaseSpec | None = None) -> AwsBackup:
    server = RdsPostgres(
        stack, "Threads", database or DatabaseSpec(name="threads"), network=stack.network, key=stack.key
    )
    bucket = S3Bucket(stack, "Graph", BucketSpec(name="acme-graph"), key=stack.key)
    return AwsBackup(stack, "Backup", spec, key=stack.key, protects=[server, bucket])


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = CustomerStack()
    backup_in(stack)
    return stack.document()


def test_the_vault_is_under_the_key_and_locked_for_as_long_as_a_backup_is_kept(synthesis: Document) -> None:
    (key,) = synthesis.resources("aws_kms_key")

    assert synthesis.only("aws_backup_vault")["kms_key_arn"] == f"${{aws_kms_key.{key}.arn}}"
    assert synthesis.only("aws_backup_vault_lock_configuration")["min_retention_days"] == 7


def test_the_lock_can_be_taken_off_again(synthesis: Document) -> None:
    """A compliance lock, which a number of days to change one's mind makes it, is for ever: never by default."""
    assert "changeable_for_days" not in synthesis.only("aws_backup_vault_lock_configuration")


def test_a_backup_is_taken_every_six_hours_and_forgotten_after_a_week(synthesis: Document) -> None:
    (rule,) = synthesis.only("aws_backup_plan")["rule"]

    assert rule["schedule"] == "cron(0 5,11,17,23 * * ? *)"
    assert rule["lifecycle"]["delete_after"] == 7
    assert "copy_action" not in rule


def test_the_first_backup_of_a_large_bucket_has_time_to_end(synthesis: Document) -> None:
    """AWS Backup gives up what is not done in time, begins anew, and a bucket that takes longer is never backed up."""
    (rule,) = synthesis.only("aws_backup_plan")["rule"]

    assert rule["completion_window"] >= 7 * 24 * 60


def test_exactly_the_given_stores_are_backed_up(synthesis: Document) -> None:
    """By tag, a store that somebody tags otherwise would silently drop out."""
    selection = synthesis.only("aws_backup_selection")
    (server,), (bucket,) = synthesis.resources("aws_db_instance"), synthesis.resources("aws_s3_bucket")

    assert selection["resources"] == [f"${{aws_db_instance.{server}.arn}}", f"${{aws_s3_bucket.{bucket}.arn}}"]
    assert "selection_tag" not in selection


def test_the_role_that_makes_backups_cannot_restore_them(synthesis: Document) -> None:
    attached = {each["policy_arn"] for each in synthesis.resources("aws_iam_role_policy_attachment").values()}

    assert any("AWSBackupServiceRolePolicyForBackup" in arn for arn in attached)
    assert any("AWSBackupServiceRolePolicyForS3Backup" in arn for arn in attached)
    assert not [arn for arn in attached if "Restore" in arn]


def test_a_selection_waits_for_the_permissions_of_its_role(synthesis: Document) -> None:
    waits = synthesis.only("aws_backup_selection")["depends_on"]

    assert len([address for address in waits if address.startswith("aws_iam_role_policy_attachment.")]) == 2


def test_an_hour_in_which_rds_lets_no_backup_begin_is_refused_with_hours_that_work() -> None:
    """Such a backup fails every day, and nobody looks until one is needed."""
    with pytest.raises(InvalidSpecError, match="use one of 0, 5, 6, 11, 12, 17, 18, 23"):
        backup_in(CustomerStack(), BackupSpec(name="vault", hour=1))


def test_a_backup_every_hour_meets_the_databases_own_windows_and_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="every_hours=6 or more"):
        backup_in(CustomerStack(), BackupSpec(name="vault", every_hours=1))


def test_a_name_that_is_too_short_for_a_vault_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="at least 2 characters"):
        backup_in(CustomerStack(), BackupSpec(name="b"))


def test_a_plan_for_nothing_is_refused() -> None:
    stack = CustomerStack()

    with pytest.raises(InvalidSpecError, match="name at least one store"):
        AwsBackup(stack, "Backup", SPEC, key=stack.key, protects=[])


@pytest.mark.parametrize(
    ("spec", "cron"),
    [
        (BackupSpec(name="vault", hour=23), "cron(0 5,11,17,23 * * ? *)"),
        (BackupSpec(name="vault", every_hours=24, hour=3), "cron(0 3 * * ? *)"),
        (BackupSpec(name="vault", every_hours=12, hour=14), "cron(0 2,14 * * ? *)"),
    ],
)
def test_the_day_is_divided_evenly_from_the_given_hour(spec: BackupSpec, cron: str) -> None:
    assert schedule(spec) == cron


def copied() -> tuple[Document, Document]:
    """Return the stack of the stores, and that of the second region."""
    home = CustomerStack("home")
    backup = backup_in(home)
    away = TerraformStack(home.app, "away")
    AwsProvider(away, "aws", region="eu-central-1")
    key = AwsKey(away, "Key", KeySpec(purpose="copies"))
    AwsBackupCopy(away, "Backup", BackupSpec(name="vault-copy"), source=backup, key=key)
    return home.document(), synthesized(away)


def test_every_backup_is_copied_to_a_vault_of_the_second_region_under_a_key_of_that_region() -> None:
    home, away = copied()

    (rule,) = home.only("aws_backup_plan")["rule"]
    (copy,) = rule["copy_action"]
    (key,) = away.resources("aws_kms_key")
    assert copy["destination_vault_arn"].endswith(":backup-vault:vault-copy")
    assert ":backup:eu-central-1:" in copy["destination_vault_arn"]
    assert copy["lifecycle"]["delete_after"] == 7
    assert away.only("aws_backup_vault")["kms_key_arn"] == f"${{aws_kms_key.{key}.arn}}"
    assert away.only("aws_backup_vault_lock_configuration")["min_retention_days"] == 7


def test_the_plan_refers_to_the_copies_by_name_because_they_are_made_after_it() -> None:
    home, _ = copied()

    assert "terraform_remote_state" not in json.dumps(home.only("aws_backup_plan"))


def test_a_stack_with_several_providers_has_to_say_which_region_the_copies_are_in() -> None:
    home = CustomerStack("home")
    backup = backup_in(home)
    AwsProvider(home, "frankfurt", region="eu-central-1", alias="frankfurt")

    with pytest.raises(InvalidSpecError, match="name the region of the copies"):
        AwsBackupCopy(home, "Unsaid", BackupSpec(name="vault-copy"), source=backup, key=home.key)
    AwsBackupCopy(home, "Said", BackupSpec(name="copies"), source=backup, key=home.key, region="eu-central-1")

    (rule,) = home.document().only("aws_backup_plan")["rule"]
    (copy,) = rule["copy_action"]
    assert ":backup:eu-central-1:" in copy["destination_vault_arn"]
