"""What a PostgreSQL server on Cloud SQL is, read from what Terraform would be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.contracts.database import DatabaseSpec, Weekday
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.gcp.database import CloudSqlPostgres, ExistingDatabase
from aeterna.gcp.database_machine import MIB_A_GIB, PLUS_GIB_A_VCPU, flags, machine
from aeterna.synth.app import TerraformOutput
from fixtures.gcp_stack import GoogleStack, named, waits_for

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

SPEC = DatabaseSpec(name="threads", maintenance_day=Weekday.SUNDAY)
SHORT = DatabaseSpec(name="threads", backup_days=7)


def alone(spec: DatabaseSpec) -> Json:
    stack = GoogleStack()
    stack.database(spec)
    return stack.document().only("google_sql_database_instance")


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = GoogleStack()
    database = stack.database(SPEC)
    for name in ("endpoint", "host", "port", "database", "certificate_authority", "administrator"):
        TerraformOutput(stack, name, value=getattr(database.outputs, name))
    database.grant_to(stack, "Workload", email=Late("threads@acme.iam.gserviceaccount.com"))
    database.administrator.grant(stack, "Migration", "serviceAccount:migrate@acme.iam.gserviceaccount.com")
    return stack.document()


@pytest.fixture(scope="module")
def server(synthesis: Document) -> Json:
    return synthesis.only("google_sql_database_instance")


def test_a_server_is_under_the_customers_key_which_its_agent_may_use_beforehand(
    server: Json, synthesis: Document
) -> None:
    grant = named(synthesis.resources("google_kms_crypto_key_iam_member"), "Database_KeyUse")

    assert "data.google_kms_crypto_key" in server["encryption_key_name"]
    assert "@gcp-sa-cloud-sql." in grant["member"]
    assert waits_for(server, "KeyUse")


def test_a_server_has_no_public_address_and_waits_for_the_range_that_its_own_is_from(server: Json) -> None:
    """Without the peering the server is refused, and nothing in its arguments refers to it."""
    address = server["settings"]["ip_configuration"]

    assert address["ipv4_enabled"] is False
    assert address["enable_private_path_for_google_cloud_services"] is True
    assert waits_for(server, "google_compute_network")


def test_a_server_of_a_made_network_waits_for_its_private_services_connection() -> None:
    stack = GoogleStack()
    network = stack.made_network()
    CloudSqlPostgres(stack, "Database", SPEC, place=stack.place, network=network, key=stack.key)

    server = stack.document().only("google_sql_database_instance")

    assert waits_for(server, "google_service_networking_connection")


def test_plain_connections_are_refused_and_the_certificate_can_be_checked_whose_it_is(
    server: Json, synthesis: Document
) -> None:
    """A certificate of the shared authority is for the server's own name, which Google leads nowhere by itself."""
    zone, record = synthesis.only("google_dns_managed_zone"), synthesis.only("google_dns_record_set")

    assert server["settings"]["ip_configuration"]["ssl_mode"] == "ENCRYPTED_ONLY"
    assert server["settings"]["ip_configuration"]["server_ca_mode"] == "GOOGLE_MANAGED_CAS_CA"
    assert "PRIVATE_SERVICES_ACCESS/INSTANCE" in zone["dns_name"]
    assert zone["visibility"] == "private"
    assert record["rrdatas"] == [f"${{{address_of(synthesis)}.private_ip_address}}"]


def test_the_host_is_the_name_in_the_certificate_without_its_last_dot(synthesis: Document) -> None:
    values = {name: output["value"] for name, output in synthesis.outputs().items()}

    assert "trimsuffix" in values["host"]
    assert "google_dns_record_set" in values["host"]
    assert values["endpoint"] == f"{values['host']}:5432"
    assert values["certificate_authority"].startswith("https://")


def test_the_edition_is_named_because_its_default_refuses_the_smaller_machines() -> None:
    assert alone(SHORT)["settings"]["edition"] == "ENTERPRISE"
    assert alone(SHORT)["settings"]["tier"] == "db-custom-2-8192"


def test_restoring_further_back_than_a_week_takes_the_edition_that_can(server: Json) -> None:
    """The smaller one keeps the log of a week at most, whatever it is told."""
    backups = server["settings"]["backup_configuration"]

    assert server["settings"]["edition"] == "ENTERPRISE_PLUS"
    assert backups["transaction_log_retention_days"] == SPEC.backup_days
    assert backups["point_in_time_recovery_enabled"] is True
    assert backups["backup_retention_settings"]["retained_backups"] > SPEC.backup_days


def test_a_server_refuses_to_be_deleted_by_terraform_and_by_google_and_leaves_a_backup(server: Json) -> None:
    told = server["settings"]

    assert server["deletion_protection"] is True
    assert told["deletion_protection_enabled"] is True
    assert told["retain_backups_on_delete"] is True
    assert told["final_backup_config"]["enabled"] is True


def test_an_unprotected_server_can_be_deleted_at_once() -> None:
    free = alone(DatabaseSpec(name="threads", protected=False))

    assert free["deletion_protection"] is False
    assert free["settings"]["deletion_protection_enabled"] is False
    assert "prevent_destroy" not in free["lifecycle"]


def test_a_server_made_anew_has_a_name_that_is_not_taken(server: Json) -> None:
    """Cloud SQL keeps the name of a deleted server for a week."""
    assert server["name"].startswith("threads-${random_id.")


def test_a_disk_that_grew_and_a_switchover_are_not_undone_by_the_next_apply(server: Json) -> None:
    kept = set(server["lifecycle"]["ignore_changes"])

    assert server["settings"]["disk_autoresize_limit"] == SPEC.most_storage_gib
    assert {"settings[0].disk_size", "instance_type", "master_instance_name", "replica_names"} <= kept


def test_a_standby_stands_in_another_zone_unless_the_spec_says_no(server: Json) -> None:
    assert server["settings"]["availability_type"] == "REGIONAL"
    assert alone(DatabaseSpec(name="t", highly_available=False))["settings"]["availability_type"] == "ZONAL"


def test_windows_are_those_of_the_spec_in_the_services_own_counting(server: Json) -> None:
    assert server["settings"]["maintenance_window"] == {"day": 7, "hour": 4, "update_track": "stable"}
    assert server["settings"]["backup_configuration"]["start_time"] == "02:00"


def test_logins_are_accounts_with_tokens_and_nobody_has_a_password(synthesis: Document, server: Json) -> None:
    users = synthesis.resources("google_sql_user").values()

    assert flags(SPEC)["cloudsql.iam_authentication"] == "on"
    assert {user["type"] for user in users} == {"CLOUD_IAM_SERVICE_ACCOUNT"}
    assert not any("password" in argument for user in users for argument in user)
    assert not any("password" in argument for argument in server)


def test_a_login_is_an_address_without_what_all_of_them_end_with(synthesis: Document) -> None:
    """PostgreSQL takes 63 characters, and Cloud SQL no more than it needs."""
    workload = named(synthesis.resources("google_sql_user"), "Workload")

    assert workload["name"] == '${trimsuffix("threads@acme.iam.gserviceaccount.com", ".gserviceaccount.com")}'
    assert "database_roles" not in workload


def test_a_login_may_connect_to_this_server_and_to_no_other_of_the_project(synthesis: Document) -> None:
    """Roles of Cloud SQL are granted on a whole project."""
    grants = [
        grant
        for grant in synthesis.resources("google_project_iam_member").values()
        if grant["member"] == "serviceAccount:threads@acme.iam.gserviceaccount.com"
    ]

    assert {grant["role"] for grant in grants} == {"roles/cloudsql.client", "roles/cloudsql.instanceUser"}
    assert all("google_sql_database_instance" in grant["condition"]["expression"] for grant in grants)


def test_a_login_that_owns_something_does_not_stop_a_destroy(synthesis: Document) -> None:
    assert {user["deletion_policy"] for user in synthesis.resources("google_sql_user").values()} == {"ABANDON"}


def test_migrations_act_as_an_administrator_that_nobody_has_a_key_of(synthesis: Document) -> None:
    administrator = named(synthesis.resources("google_sql_user"), "Administrator")
    grant = named(synthesis.resources("google_service_account_iam_member"), "Migration")

    assert administrator["database_roles"] == ["cloudsqlsuperuser"]
    assert grant["role"] == "roles/iam.serviceAccountTokenCreator"
    assert "google_service_account_key" not in synthesis.json["resource"]


def test_nothing_reaches_a_server_until_a_cluster_is_admitted(synthesis: Document) -> None:
    closed = synthesis.only("google_compute_firewall")

    assert closed["direction"] == "EGRESS"
    assert closed["deny"] == [{"protocol": "all"}]
    assert closed["destination_ranges"] == [f"${{{address_of(synthesis)}.private_ip_address}}/32"]


def test_the_servers_logs_are_kept_under_the_key_for_as_long_as_the_spec_says(synthesis: Document) -> None:
    bucket = synthesis.only("google_logging_project_bucket_config")

    assert bucket["retention_days"] == SPEC.log_days
    assert "cloudsql_database" in synthesis.only("google_logging_project_sink")["filter"]
    assert flags(SPEC)["log_min_duration_statement"] == "1000"


def test_an_existing_server_is_looked_up_and_only_gets_logins() -> None:
    stack = GoogleStack()
    facts = ExistingDatabase(identifier="legacy", administrator="dba")
    database = CloudSqlPostgres.existing(stack, "Database", facts, place=stack.place, network=stack.network)
    database.grant_to(stack, "Workload", email=Late("threads@acme.iam.gserviceaccount.com"))

    document = stack.document()

    assert not document.resources("google_sql_database_instance")
    assert len(document.data("google_sql_database_instance")) == 1
    assert len(document.resources("google_sql_user")) == 1


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (DatabaseSpec(name="n" * 25), "name"),
        (DatabaseSpec(name="t", vcpus=3, backup_days=7), "vcpus"),
        (DatabaseSpec(name="t", vcpus=2, memory_gib=16, backup_days=7), "memory_gib"),
        (DatabaseSpec(name="t", vcpus=192), "vcpus"),
    ],
)
def test_what_cloud_sql_would_refuse_is_refused_at_synthesis(spec: DatabaseSpec, field: str) -> None:
    with pytest.raises(InvalidSpecError) as refused:
        GoogleStack().database(spec)

    assert refused.value.field == field


@given(vcpus=st.integers(1, 128), memory=st.integers(2, 864), days=st.integers(1, 35))
@settings(max_examples=200, deadline=None)
def test_a_machine_has_what_the_spec_wants_or_is_refused(vcpus: int, memory: int, days: int) -> None:
    spec = DatabaseSpec(name="t", vcpus=vcpus, memory_gib=memory, backup_days=days)
    try:
        chosen = machine(spec)
    except InvalidSpecError:
        return

    words = chosen.tier.split("-")
    if chosen.edition == "ENTERPRISE":
        assert (int(words[2]), int(words[3])) == (vcpus, memory * MIB_A_GIB)
    else:
        assert int(words[-1]) >= vcpus
        assert int(words[-1]) * PLUS_GIB_A_VCPU >= memory


def address_of(document: Document) -> str:
    (name,) = document.resources("google_sql_database_instance")
    return f"google_sql_database_instance.{name}"
