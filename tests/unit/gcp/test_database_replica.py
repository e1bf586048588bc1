"""What a copy of a database in a second region is, read from what Terraform would be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.gcp.database import CloudSqlPostgres
from aeterna.gcp.database_replica import CloudSqlReplica
from aeterna.gcp.keys import GcpKey
from aeterna.gcp.l1.provider import GoogleProvider
from aeterna.gcp.network import GcpNetwork
from aeterna.gcp.place import GcpPlace
from aeterna.synth.app import TerraformStack
from aeterna.synth.testing import documents
from fixtures.gcp_stack import KEY, GoogleStack, named, waits_for

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

SPEC = DatabaseSpec(name="threads", backup_days=35)
SECOND = "europe-west3"
EMAIL = Late("threads@acme.iam.gserviceaccount.com")


def copied(region: str = SECOND) -> Document:
    """Return the stack of the second region, beside that of the first."""
    first = GoogleStack("first")
    source = CloudSqlPostgres(first, "Database", SPEC, place=first.place, network=first.network, key=first.key)
    second = TerraformStack(first.app, "second")
    GoogleProvider(second, "google", region=region)
    place = GcpPlace(second, "Place", region=region)
    network = GcpNetwork.existing(
        second,
        "Network",
        network="recovery",
        subnetwork="workloads",
        pods_range="pods",
        services_range="services",
        place=place,
    )
    key = GcpKey.existing(second, "Key", key_id=KEY.format(region=region))
    CloudSqlReplica(second, "Copy", SPEC, place=place, source=source, network=network, key=key)
    return documents(first.app)["second"]


@pytest.fixture(scope="module")
def synthesis() -> Document:
    return copied()


@pytest.fixture(scope="module")
def replica(synthesis: Document) -> Json:
    return synthesis.only("google_sql_database_instance")


def test_a_copy_is_under_a_key_of_its_own_region(replica: Json) -> None:
    """A key never leaves its region: without one of its own the copy is refused."""
    assert replica["region"] == SECOND
    assert "data.google_kms_crypto_key.Key" in replica["encryption_key_name"]
    assert waits_for(replica, "KeyUse")


def test_a_copy_follows_its_source_by_reading_the_state_of_the_stack_before(replica: Json) -> None:
    assert replica["instance_type"] == "READ_REPLICA_INSTANCE"
    assert "terraform_remote_state" in replica["master_instance_name"]


def test_promoting_a_copy_is_not_undone_by_the_next_apply(replica: Json) -> None:
    kept = set(replica["lifecycle"]["ignore_changes"])

    assert {"instance_type", "master_instance_name", "replica_names"} <= kept


def test_what_is_turned_on_with_a_promotion_is_not_turned_off_by_the_next_apply(replica: Json) -> None:
    """It would be the backups and the standby of what is now the only server."""
    kept = set(replica["lifecycle"]["ignore_changes"])

    assert {"settings[0].availability_type", "settings[0].backup_configuration"} <= kept
    assert {"settings[0].final_backup_config", "settings[0].maintenance_window"} <= kept


def test_a_copy_asks_for_nothing_that_only_a_server_of_its_own_has(replica: Json) -> None:
    """Cloud SQL maintains a copy together with its source, and refuses another window for it."""
    assert not {"maintenance_window", "final_backup_config"} & set(replica["settings"])


def test_a_copy_is_of_the_machine_and_the_edition_of_its_source(replica: Json) -> None:
    assert replica["settings"]["edition"] == "ENTERPRISE_PLUS"
    assert replica["settings"]["backup_configuration"] == {"enabled": False}


def test_the_network_of_the_second_region_reaches_the_copy_by_an_endpoint(replica: Json, synthesis: Document) -> None:
    """Replication needs the first network, which spans every region; the second one is not even connected to it."""
    endpoint, address = synthesis.only("google_compute_forwarding_rule"), synthesis.only("google_compute_address")

    assert "terraform_remote_state" in replica["settings"]["ip_configuration"]["private_network"]
    assert replica["settings"]["ip_configuration"]["psc_config"][0]["psc_enabled"] is True
    assert endpoint["target"].endswith(".psc_service_attachment_link}")
    assert endpoint["load_balancing_scheme"] == ""
    assert "data.google_compute_subnetwork" in address["subnetwork"]
    assert "PRIVATE_SERVICE_CONNECT/INSTANCE" in synthesis.only("google_dns_managed_zone")["dns_name"]


def test_a_copy_refuses_to_be_deleted_and_plain_connections(replica: Json) -> None:
    assert replica["deletion_protection"] is True
    assert replica["settings"]["deletion_protection_enabled"] is True
    assert replica["settings"]["ip_configuration"]["ssl_mode"] == "ENCRYPTED_ONLY"


def test_nothing_reaches_a_copy_until_a_cluster_is_admitted(synthesis: Document) -> None:
    assert synthesis.only("google_compute_firewall")["deny"] == [{"protocol": "all"}]


def test_a_copy_beside_its_source_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="lost with its copy"):
        copied("europe-west4")


def test_the_copys_logs_are_kept_under_the_key_of_its_region(synthesis: Document) -> None:
    bucket = synthesis.only("google_logging_project_bucket_config")

    assert bucket["location"] == SECOND
    assert "data.google_kms_crypto_key.Key" in bucket["cmek_settings"]["kms_key_name"]


def test_a_workload_logs_into_the_copy_under_the_name_that_was_copied_with_the_data() -> None:
    """A second login of the same name cannot be made on a server that is only read."""
    stack = GoogleStack(region=SECOND)
    first = GcpPlace(stack, "FirstPlace", region="europe-west4")
    key = GcpKey.existing(stack, "FirstKey", key_id=KEY.format(region="europe-west4"))
    source = CloudSqlPostgres(stack, "Database", SPEC, place=first, network=stack.network, key=key)
    copy = CloudSqlReplica(stack, "Copy", SPEC, place=stack.place, source=source, network=stack.network, key=stack.key)
    logins = len(stack.document().resources("google_sql_user"))
    copy.grant_to(stack, "Workload", email=EMAIL)

    after = stack.document()

    assert len(after.resources("google_sql_user")) == logins
    assert named(after.resources("google_project_iam_member"), "Workload_Login")
