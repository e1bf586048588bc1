"""The copies of a database and a bucket in a second region: under whose key, filled how, and fit to take over."""

from __future__ import annotations

import re

import pytest

from aeterna.aws.admission import Admission
from aeterna.aws.bucket import S3Bucket
from aeterna.aws.bucket_replica import S3BucketReplica
from aeterna.aws.database import ExistingDatabase, RdsPostgres
from aeterna.aws.database_replica import RdsReplica
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.network import AwsNetwork
from aeterna.aws.policy_document import document
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeySpec
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.testing import Document, Json, synthesized
from fixtures.customer_stack import CLUSTER, CustomerStack
from fixtures.iam_documents import Found, statements

SPEC = DatabaseSpec(name="threads")


class Away(TerraformStack):
    """A stack of the second region, with a network and a key there."""

    def __init__(self, home: CustomerStack) -> None:
        super().__init__(home.app, "away")
        AwsProvider(self, "aws", region="eu-central-1")
        self.network = AwsNetwork.existing(self, "Network", vpc_id="vpc-9", private_subnet_ids=["subnet-8", "subnet-9"])
        self.key = AwsKey(self, "Key", KeySpec(purpose="copies"))


@pytest.fixture(scope="module")
def away() -> Document:
    home = CustomerStack("home")
    database = RdsPostgres(home, "Threads", SPEC, network=home.network, key=home.key)
    bucket = S3Bucket(home, "Graph", BucketSpec(name="acme-graph"), key=home.key)
    there = Away(home)
    copy = RdsReplica(there, "Threads", SPEC, source=database, network=there.network, key=there.key)
    S3BucketReplica(there, "Graph", BucketSpec(name="acme-graph-copy"), source=bucket, key=there.key)
    TerraformOutput(there, "host", value=copy.outputs.host)
    return synthesized(there)


@pytest.fixture(scope="module")
def copy(away: Document) -> Json:
    return away.only("aws_db_instance")


@pytest.fixture(scope="module")
def key(away: Document) -> str:
    (name,) = away.resources("aws_kms_key")
    return f"${{aws_kms_key.{name}.arn}}"


def role_of_replication(away: Document) -> dict[str, Found]:
    return {found.statement["Sid"]: found for found in statements(away, of="aws_iam_role_policy")}


def test_the_copy_of_a_database_is_made_from_its_arn_and_under_a_key_of_its_own_region(copy: Json, key: str) -> None:
    """By its name the source would be looked for in the wrong region, and a key never leaves its own."""
    assert re.search(r"terraform_remote_state\..*aws_db_instance\w+arn", copy["replicate_source_db"])
    assert (copy["storage_encrypted"], copy["kms_key_id"]) == (True, key)
    assert copy["performance_insights_kms_key_id"] == key


def test_the_copy_takes_its_login_from_the_source(copy: Json) -> None:
    assert not {"username", "password", "password_wo", "manage_master_user_password", "db_name"} & copy.keys()


def test_the_copy_can_take_over_at_once(copy: Json) -> None:
    """Backups, IAM, logs and the parameters that force TLS are there before it is promoted, not after."""
    assert copy["backup_retention_period"] == 14
    assert copy["iam_database_authentication_enabled"] is True
    assert copy["parameter_group_name"].startswith("${aws_db_parameter_group.")
    assert copy["db_subnet_group_name"].startswith("${aws_db_subnet_group.")
    assert copy["deletion_protection"] is True


def test_a_copy_that_somebody_promoted_stays_promoted(copy: Json) -> None:
    """The next apply would otherwise try to make a copy of it again, of a source that may be lost."""
    assert copy["lifecycle"]["ignore_changes"] == ["replicate_source_db"]


def test_rds_is_not_asked_for_the_last_snapshot_that_it_takes_of_no_copy(copy: Json) -> None:
    assert copy["skip_final_snapshot"] is True


def test_a_copy_lets_nobody_in_until_it_is_needed(away: Document) -> None:
    assert not away.resources("aws_vpc_security_group_ingress_rule")


def test_whoever_takes_over_lets_clients_in_and_logs_them_in_as_on_any_server() -> None:
    home = CustomerStack("home")
    database = RdsPostgres(home, "Threads", SPEC, network=home.network, key=home.key)
    there = Away(home)
    copy = RdsReplica(there, "Threads", SPEC, source=database, network=there.network, key=there.key)
    Admission(there, "Admission", client=CLUSTER, stores=[copy])
    TerraformOutput(there, "access", value=document(copy.access()))

    synthesis = synthesized(there)

    rule = synthesis.only("aws_vpc_security_group_ingress_rule")
    assert (rule["from_port"], rule["referenced_security_group_id"]) == (5432, CLUSTER.client_security_group_id)
    assert re.search(r"dbuser:\$\{aws_db_instance\.\w+\.resource_id\}/aeterna", synthesis.outputs()["access"]["value"])


def test_a_copy_of_a_server_whose_password_rds_keeps_is_refused() -> None:
    """RDS refuses it at apply, a quarter of an hour into a change that was reviewed."""
    home = CustomerStack("home")
    database = RdsPostgres(home, "Threads", SPEC, network=home.network, key=home.key, managed_password=True)
    there = Away(home)

    with pytest.raises(InvalidSpecError, match="managed_password=False"):
        RdsReplica(there, "Threads", SPEC, source=database, network=there.network, key=there.key)


def test_a_copy_of_an_existing_server_is_refused_unless_its_password_is_the_customers_own() -> None:
    """Without a secret of the customer's the one that RDS keeps is looked up, and of such a server there is no copy."""
    home = CustomerStack("home")
    kept = RdsPostgres.existing(home, "Kept", ExistingDatabase(identifier="kept"), key=home.key)
    secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:own"
    facts = ExistingDatabase(identifier="own", administrator_secret_arn=secret)
    own = RdsPostgres.existing(home, "Own", facts, key=home.key)
    there = Away(home)

    with pytest.raises(InvalidSpecError, match="administrator_secret_arn"):
        RdsReplica(there, "Kept", SPEC, source=kept, network=there.network, key=there.key)
    assert RdsReplica(there, "Own", SPEC, source=own, network=there.network, key=there.key).outputs.host


def test_objects_under_a_key_are_copied_too_and_are_under_the_second_regions_key_there(
    away: Document, key: str
) -> None:
    """Without being asked, S3 leaves out every object that is encrypted under a key: here, all of them."""
    (rule,) = away.only("aws_s3_bucket_replication_configuration")["rule"]

    assert rule["source_selection_criteria"] == {"sse_kms_encrypted_objects": {"status": "Enabled"}}
    assert rule["destination"]["encryption_configuration"] == {"replica_kms_key_id": key}
    assert rule["delete_marker_replication"] == {"status": "Enabled"}


def test_the_replication_stands_in_the_region_of_its_source(away: Document) -> None:
    configuration = away.only("aws_s3_bucket_replication_configuration")

    assert "terraform_remote_state" in configuration["region"]
    assert "terraform_remote_state" in configuration["bucket"]


def test_the_replication_waits_for_versions_on_both_sides_and_for_its_permissions(away: Document) -> None:
    """The source's versions are of the stack before, which is applied as a whole first."""
    waits = away.only("aws_s3_bucket_replication_configuration")["depends_on"]
    kinds = sorted(address.partition(".")[0] for address in waits)

    assert kinds == ["aws_iam_role_policy", "aws_iam_role_policy", "aws_s3_bucket_versioning"]


def test_the_replication_reads_the_source_and_writes_the_copy_and_nothing_else(away: Document, key: str) -> None:
    role = role_of_replication(away)

    assert role["ReadKey"].actions == ["kms:Decrypt"]
    assert "terraform_remote_state" in role["ReadKey"].statement["Resource"][0]
    assert role["WriteKey"].actions == ["kms:Encrypt", "kms:GenerateDataKey"]
    assert role["WriteKey"].statement["Resource"] == [key.replace("${", "<").replace("}", ">")]
    assert role["WriteCopies"].actions == ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"]
    for found in role.values():
        assert "*" not in found.statement["Resource"]


def test_each_key_is_used_through_s3_of_its_own_region(away: Document) -> None:
    role = role_of_replication(away)

    (read,) = role["ReadKey"].conditions["StringEquals"]["kms:ViaService"]
    (write,) = role["WriteKey"].conditions["StringEquals"]["kms:ViaService"]
    assert "terraform_remote_state" in read
    assert "data.aws_region." in write


def test_the_copy_of_a_bucket_is_as_closed_as_the_bucket(away: Document) -> None:
    assert away.only("aws_s3_bucket_public_access_block")["restrict_public_buckets"] is True
    assert {found.statement["Effect"] for found in statements(away, of="aws_s3_bucket_policy")} == {"Deny"}
