"""What a PostgreSQL server on RDS is, read from what Terraform would be given."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.aws.cluster import EksCluster
from aeterna.aws.database import ExistingDatabase, RdsBackupCopy, RdsPostgres
from aeterna.aws.database_machine import CLASSES, instance_class, maintenance_window, one_hour
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.network import AwsNetwork
from aeterna.aws.policy_document import document
from aeterna.aws.store_access import SecurityGroupClient
from aeterna.contracts.cluster import ClusterSpec
from aeterna.contracts.database import DatabaseSpec, Weekday
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.naming import NAME
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.overrides import inside
from aeterna.synth.testing import Document, Json, synthesized
from fixtures.customer_stack import CLUSTER, CustomerStack

IDENTIFIER = re.compile(r"[a-z](?:-?[a-z0-9]){0,62}")
LONGEST = 33
ROLE_PREFIX = re.compile(r"[\w+=,.@-]{1,38}")


@pytest.fixture(scope="module")
def stack() -> CustomerStack:
    return CustomerStack()


@pytest.fixture(scope="module")
def database(stack: CustomerStack) -> RdsPostgres:
    return RdsPostgres(
        stack, "Threads", DatabaseSpec(name="threads"), network=stack.network, key=stack.key, clients=[CLUSTER]
    )


@pytest.fixture(scope="module")
def synthesis(stack: CustomerStack, database: RdsPostgres) -> Document:
    TerraformOutput(stack, "endpoint", value=database.outputs.endpoint)
    TerraformOutput(stack, "port", value=database.outputs.port)
    TerraformOutput(stack, "secret", value=database.outputs.administrator_secret)
    TerraformOutput(stack, "access", value=document(database.access()))
    TerraformOutput(stack, "administration", value=document(database.administer_statements()))
    return synthesized(stack)


@pytest.fixture(scope="module")
def server(synthesis: Document) -> Json:
    return synthesis.only("aws_db_instance")


def key_arn(synthesis: Document) -> str:
    (name,) = synthesis.resources("aws_kms_key")
    return f"${{aws_kms_key.{name}.arn}}"


def test_disk_password_and_insights_are_encrypted_with_the_customers_key(server: Json, synthesis: Document) -> None:
    key = key_arn(synthesis)

    assert server["storage_encrypted"] is True
    assert server["kms_key_id"] == key
    assert synthesis.only("aws_secretsmanager_secret")["kms_key_id"] == key
    assert server["performance_insights_kms_key_id"] == key


def test_the_administrators_password_is_made_during_the_apply_and_never_in_a_state(
    server: Json, synthesis: Document
) -> None:
    """A write-only argument may take what is in no file; the plain one, and a resource, would be in the state."""
    (password,) = synthesis.json["ephemeral"]["random_password"]

    assert server["password_wo"] == f"${{ephemeral.random_password.{password}.result}}"
    assert not {"password", "manage_master_user_password", "snapshot_identifier"} & server.keys()
    assert not synthesis.resources("random_password")


def test_the_password_is_kept_under_the_key_once_the_server_has_it(server: Json, synthesis: Document) -> None:
    """Written before a server that then fails to come up, it would be another one than the server gets at last."""
    content = synthesis.only("aws_secretsmanager_secret_version")
    (name,) = synthesis.resources("aws_db_instance")

    assert content["depends_on"] == [f"aws_db_instance.{name}"]
    assert json.loads(content["secret_string_wo"]) == {
        "username": server["username"],
        "password": server["password_wo"],
    }
    assert "secret_string" not in content


def test_server_and_secret_take_a_new_password_at_the_same_apply() -> None:
    stack = CustomerStack()
    spec = DatabaseSpec(name="threads")
    RdsPostgres(stack, "Threads", spec, network=stack.network, key=stack.key, password_version=2)

    synthesis = stack.document()

    assert synthesis.only("aws_db_instance")["password_wo_version"] == 2
    assert synthesis.only("aws_secretsmanager_secret_version")["secret_string_wo_version"] == 2


def test_rds_keeps_and_rotates_the_password_itself_where_that_is_wanted() -> None:
    stack = CustomerStack()
    spec = DatabaseSpec(name="threads")
    RdsPostgres(stack, "Threads", spec, network=stack.network, key=stack.key, managed_password=True)

    synthesis = stack.document()
    server = synthesis.only("aws_db_instance")

    assert server["manage_master_user_password"] is True
    assert server["master_user_secret_kms_key_id"] == key_arn(synthesis)
    assert not {"password", "password_wo"} & server.keys()
    assert not synthesis.resources("aws_secretsmanager_secret")


def test_workloads_log_in_with_iam_and_only_over_tls(server: Json, synthesis: Document) -> None:
    group = synthesis.only("aws_db_parameter_group")
    values = {parameter["name"]: parameter["value"] for parameter in group["parameter"]}

    assert server["iam_database_authentication_enabled"] is True
    assert values["rds.force_ssl"] == "1"
    assert server["ca_cert_identifier"] == "rds-ca-rsa2048-g1"


def test_forcing_tls_is_not_planned_again_and_again(synthesis: Document) -> None:
    """It is on by default and applied at a reboot; RDS ignores a change of the way of applying alone."""
    group = synthesis.only("aws_db_parameter_group")
    methods = {parameter["name"]: parameter["apply_method"] for parameter in group["parameter"]}

    assert methods.pop("rds.force_ssl") == "pending-reboot"
    assert set(methods.values()) == {"immediate"}


def test_nothing_keeps_an_extension_such_as_pgvector_out(synthesis: Document) -> None:
    """RDS allows every extension it has until ``rds.allowed_extensions`` names some."""
    group = synthesis.only("aws_db_parameter_group")

    assert group["family"] == "postgres17"
    assert "rds.allowed_extensions" not in {parameter["name"] for parameter in group["parameter"]}


def test_a_new_major_version_gets_its_parameter_group_before_the_old_one_goes(synthesis: Document) -> None:
    group = synthesis.only("aws_db_parameter_group")

    assert group["lifecycle"]["create_before_destroy"] is True
    assert "name" not in group


def test_the_log_groups_exist_under_the_key_before_the_server_does(server: Json, synthesis: Document) -> None:
    """A server that comes first makes them itself, without the key, and the apply fails because they exist."""
    groups = synthesis.resources("aws_cloudwatch_log_group")

    assert {group["name"] for group in groups.values()} == {
        f"/aws/rds/instance/threads/{export}" for export in server["enabled_cloudwatch_logs_exports"]
    }
    assert {group["kms_key_id"] for group in groups.values()} == {key_arn(synthesis)}
    assert {f"aws_cloudwatch_log_group.{name}" for name in groups} <= set(server["depends_on"])


def test_the_key_lets_the_log_service_in_for_exactly_these_log_groups(synthesis: Document) -> None:
    policy = json.loads(synthesis.only("aws_kms_key")["policy"])
    (logs,) = [statement for statement in policy["Statement"] if statement["Sid"] == "EncryptLogs"]
    groups = logs["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"]

    assert sorted(group.rpartition("log-group:")[2] for group in groups) == [
        "/aws/rds/instance/threads/iam-db-auth-error",
        "/aws/rds/instance/threads/postgresql",
        "/aws/rds/instance/threads/upgrade",
    ]


def test_the_metrics_role_can_be_taken_only_for_this_server(server: Json, synthesis: Document) -> None:
    trust = json.loads(synthesis.only("aws_iam_role")["assume_role_policy"])["Statement"][0]

    assert trust["Principal"] == {"Service": ["monitoring.rds.amazonaws.com"]}
    assert trust["Condition"]["ArnLike"]["aws:SourceArn"][0].endswith(":db:threads")
    assert "aws:SourceAccount" in trust["Condition"]["StringEquals"]
    assert server["monitoring_role_arn"].startswith("${aws_iam_role.")


def test_a_standby_in_another_zone_and_private_subnets_are_the_default(server: Json, synthesis: Document) -> None:
    assert server["multi_az"] is True
    assert server["publicly_accessible"] is False
    assert len(synthesis.only("aws_db_subnet_group")["subnet_ids"]) == 3


def test_a_deletion_is_refused_and_even_without_protection_leaves_a_snapshot_and_the_backups(server: Json) -> None:
    assert server["deletion_protection"] is True
    assert server["skip_final_snapshot"] is False
    assert server["delete_automated_backups"] is False
    assert server["backup_retention_period"] == 14
    assert server["copy_tags_to_snapshot"] is True


def test_the_final_snapshots_name_is_taken_once_and_differs_from_one_server_to_the_next(server: Json) -> None:
    """A second server of the same name could otherwise never be deleted."""
    assert "timestamp()" in server["final_snapshot_identifier"]
    assert server["lifecycle"]["ignore_changes"] == ["final_snapshot_identifier"]


def test_extended_support_is_never_billed_by_surprise(server: Json) -> None:
    assert server["engine_lifecycle_support"] == "open-source-rds-extended-support-disabled"
    assert server["auto_minor_version_upgrade"] is True
    assert server["engine_version"] == "17"


def test_only_the_clients_security_group_is_let_in_and_only_on_the_port(synthesis: Document) -> None:
    rule = synthesis.only("aws_vpc_security_group_ingress_rule")

    assert rule["referenced_security_group_id"] == CLUSTER.client_security_group_id
    assert (rule["ip_protocol"], rule["from_port"], rule["to_port"]) == ("tcp", 5432, 5432)
    assert not {"cidr_ipv4", "cidr_ipv6", "prefix_list_id"} & rule.keys()
    assert not {"ingress", "egress"} & synthesis.only("aws_security_group").keys()


def test_pods_of_a_cluster_are_let_in_by_the_group_that_their_nodes_really_carry() -> None:
    """EKS puts its own primary group on managed nodes; the group given to the control plane is on none of them."""
    stack = CustomerStack()
    cluster = EksCluster(stack, "Cluster", ClusterSpec(name="prod"), network=stack.network, key=stack.key)
    RdsPostgres(stack, "Threads", DatabaseSpec(name="threads"), network=stack.network, key=stack.key, clients=[cluster])

    rules = stack.document().resources("aws_vpc_security_group_ingress_rule").values()
    (source,) = [rule["referenced_security_group_id"] for rule in rules if rule["to_port"] == 5432]

    assert re.fullmatch(r"\$\{aws_eks_cluster\.\w+\.vpc_config\[0\]\.cluster_security_group_id\}", source)


def test_the_security_group_is_of_the_network_that_was_given(synthesis: Document) -> None:
    """Without a VPC it would land in the account's default one."""
    assert synthesis.only("aws_security_group")["vpc_id"].startswith("${data.aws_vpc.")


def test_outputs_are_attributes_of_the_server_so_that_who_reads_them_waits_for_it(synthesis: Document) -> None:
    outputs = synthesis.outputs()

    assert re.fullmatch(r"\$\{aws_db_instance\.\w+\.endpoint\}", outputs["endpoint"]["value"])
    assert re.fullmatch(r"\$\{tostring\(aws_db_instance\.\w+\.port\)\}", outputs["port"]["value"])
    assert re.fullmatch(r"\$\{aws_secretsmanager_secret_version\.\w+\.arn\}", outputs["secret"]["value"])


def test_a_workload_may_log_in_as_the_users_of_the_spec_and_nobody_else(synthesis: Document) -> None:
    (statement,) = json.loads(synthesis.outputs()["access"]["value"])["Statement"]

    assert statement["Action"] == ["rds-db:connect"]
    (resource,) = statement["Resource"]
    assert re.search(r":rds-db:.*:dbuser:\$\{aws_db_instance\.\w+\.resource_id\}/aeterna$", resource)


def test_only_administration_can_read_the_password_and_decrypt_it_through_its_store_alone(synthesis: Document) -> None:
    secret, key = json.loads(synthesis.outputs()["administration"]["value"])["Statement"]

    assert secret["Action"] == ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    assert key["Action"] == ["kms:Decrypt"]
    assert key["Condition"]["StringEquals"]["kms:ViaService"][0].startswith("secretsmanager.")


@pytest.mark.parametrize("user", ["*", "aeterna/*", "rdsadmin", "Aeterna", ""])
def test_a_permission_to_log_in_as_anything_but_one_plain_role_is_refused(database: RdsPostgres, user: str) -> None:
    with pytest.raises(InvalidSpecError):
        database.connect_statements(user)


def test_a_database_has_no_network_of_one_zone_to_stand_in() -> None:
    stack = CustomerStack()

    with pytest.raises(InvalidSpecError, match="highly available database"):
        AwsNetwork.existing(stack, "Narrow", vpc_id="vpc-0a1b", private_subnet_ids=["subnet-1"])


def test_every_default_can_be_overridden_without_forking() -> None:
    stack = CustomerStack()
    database = RdsPostgres(stack, "Threads", DatabaseSpec(name="threads"), network=stack.network, key=stack.key)

    inside(database, AwsDbInstance).replace("instance_class", "db.x2g.large")

    assert stack.document().only("aws_db_instance")["instance_class"] == "db.x2g.large"


def test_an_existing_server_gets_only_the_rules_that_let_its_clients_in() -> None:
    stack = CustomerStack()
    facts = ExistingDatabase(identifier="shared", security_group_id="sg-shared")
    RdsPostgres.existing(stack, "Threads", facts, key=stack.key, clients=[CLUSTER])

    synthesis = stack.document()

    assert synthesis.only("aws_vpc_security_group_ingress_rule")["security_group_id"] == "sg-shared"
    assert not synthesis.resources("aws_db_instance")


def test_an_existing_server_is_looked_up_so_that_a_wrong_one_is_refused_when_it_is_planned() -> None:
    """Copied inputs would be believed until the first connection fails."""
    stack = CustomerStack()
    database = RdsPostgres.existing(stack, "Threads", ExistingDatabase(identifier="shared"), key=stack.key)
    outputs = database.outputs
    for name in ("endpoint", "host", "port", "database", "administrator", "administrator_secret"):
        TerraformOutput(stack, name, value=getattr(outputs, name))
    TerraformOutput(stack, "access", value=document(database.access()))

    synthesis = stack.document()

    (server,) = synthesis.data("aws_db_instance").values()
    assert server["db_instance_identifier"] == "shared"
    assert all("data.aws_db_instance." in output["value"] for output in synthesis.outputs().values())


def test_backups_are_copied_under_a_key_of_the_second_region() -> None:
    """A key never leaves its region, so the copy stands in a stack of that region, with that region's key."""
    home = CustomerStack("home")
    spec = DatabaseSpec(name="threads")
    database = RdsPostgres(home, "Threads", spec, network=home.network, key=home.key)
    away = TerraformStack(home.app, "away")
    AwsProvider(away, "aws", region="eu-central-1")
    key = AwsKey(away, "Key", KeySpec(purpose="stores"))
    RdsBackupCopy(away, "Backups", spec, database=database, key=key)

    synthesis = synthesized(away)
    copy = synthesis.only("aws_db_instance_automated_backups_replication")

    assert copy["kms_key_id"] == key_arn(synthesis)
    assert "terraform_remote_state" in copy["source_db_instance_arn"]
    assert copy["retention_period"] == 14


def test_clients_keep_their_rules_when_another_is_appended() -> None:
    def rules(*clients: str) -> dict[str, str]:
        stack = CustomerStack()
        allowed = [SecurityGroupClient(client_security_group_id=client) for client in clients]
        RdsPostgres(
            stack, "Threads", DatabaseSpec(name="threads"), network=stack.network, key=stack.key, clients=allowed
        )
        found = stack.document().resources("aws_vpc_security_group_ingress_rule")
        return {name: rule["referenced_security_group_id"] for name, rule in found.items()}

    assert rules("sg-a").items() <= rules("sg-a", "sg-b").items()


@pytest.mark.parametrize(("wanted", "machine"), CLASSES.items(), ids=str)
def test_every_machine_on_the_list_can_be_asked_for(wanted: tuple[int, int], machine: str) -> None:
    vcpus, memory = wanted

    assert instance_class(DatabaseSpec(name="threads", vcpus=vcpus, memory_gib=memory)) == machine


@given(vcpus=st.integers(1, 192), memory=st.integers(2, 1536))
def test_a_machine_that_does_not_exist_is_refused_with_one_that_does(vcpus: int, memory: int) -> None:
    spec = DatabaseSpec(name="threads", vcpus=vcpus, memory_gib=memory)
    try:
        instance_class(spec)
    except InvalidSpecError as refused:
        suggested = {int(number) for number in re.findall(r"\d+", refused.remedy)}
        assert suggested & {number for machine in CLASSES for number in machine}
        assert (vcpus, memory) not in CLASSES


@given(hour=st.integers(0, 23), day=st.sampled_from(Weekday))
def test_a_maintenance_window_is_always_one_hour_long(hour: int, day: Weekday) -> None:
    spec = DatabaseSpec(name="threads", maintenance_day=day, maintenance_hour=hour, backup_hour=(hour + 1) % 24)

    begin, end = maintenance_window(spec).split("-")

    assert (_minutes(end) - _minutes(begin)) % (7 * 24 * 60) == 60
    assert one_hour(hour) == f"{begin[4:]}-{end[4:]}"


@settings(max_examples=15, deadline=None)
@given(name=st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= LONGEST) | st.just("t" * LONGEST))
def test_a_name_that_is_accepted_fits_every_resource_that_is_named_after_it(name: str) -> None:
    stack = CustomerStack()
    RdsPostgres(stack, "Threads", DatabaseSpec(name=name), network=stack.network, key=stack.key)

    synthesis = stack.document()

    assert IDENTIFIER.fullmatch(synthesis.only("aws_db_instance")["identifier"])
    assert ROLE_PREFIX.fullmatch(synthesis.only("aws_iam_role")["name_prefix"])
    assert not synthesis.only("aws_security_group")["name_prefix"].startswith("sg-")
    for group in synthesis.resources("aws_cloudwatch_log_group").values():
        assert re.fullmatch(r"[\w./#-]{1,512}", group["name"])


def test_a_name_that_is_too_long_once_suffixes_are_on_is_refused_with_the_length_that_fits() -> None:
    stack = CustomerStack()

    with pytest.raises(InvalidSpecError, match=f"at most {LONGEST} characters"):
        RdsPostgres(stack, "Threads", DatabaseSpec(name="t" * (LONGEST + 1)), network=stack.network, key=stack.key)


def _minutes(moment: str) -> int:
    day, hours, minutes = moment.split(":")
    return (tuple(Weekday).index(Weekday(day)) * 24 + int(hours)) * 60 + int(minutes)
