"""What a PostgreSQL server on Azure is, read from what Terraform would be given."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.azure.database import FlexiblePostgres, roots
from aeterna.azure.database_machine import DISKS_MIB, MACHINES, connections, disk_mib, machine
from aeterna.azure.database_replica import PostgresReplica
from aeterna.contracts.alerts import AlertsSpec
from aeterna.contracts.database import DatabaseSpec, Weekday
from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth.app import TerraformOutput
from aeterna.synth.testing import Document, Json, synthesized
from fixtures.azure_network_stack import AzureNetworkStack
from fixtures.resource_graph import graph_of, needed_by

SPEC = DatabaseSpec(name="threads")


def made(spec: DatabaseSpec = SPEC) -> tuple[FlexiblePostgres, AzureNetworkStack]:
    stack = AzureNetworkStack()
    return FlexiblePostgres(stack, "Database", spec, **stack.around), stack


@pytest.fixture(scope="module")
def synthesis() -> Document:
    database, stack = made()
    TerraformOutput(stack, "administrator", value=database.outputs.administrator)
    TerraformOutput(stack, "authority", value=database.outputs.certificate_authority)
    return stack.document()


@pytest.fixture(scope="module")
def server(synthesis: Document) -> Json:
    return synthesis.only("azurerm_postgresql_flexible_server")


def settings(synthesis: Document) -> dict[str, str]:
    found = synthesis.resources("azurerm_postgresql_flexible_server_configuration").values()
    return {setting["name"]: setting["value"] for setting in found}


def test_it_stands_in_a_subnet_of_its_own_and_has_no_public_address(server: Json, synthesis: Document) -> None:
    """A server in a network can never be given a private endpoint later, and one without its zone is not found."""
    subnet = re.fullmatch(r"\$\{azurerm_subnet\.(\w+)\.id\}", server["delegated_subnet_id"])

    assert server["public_network_access_enabled"] is False
    assert subnet is not None
    (delegation,) = synthesis.resources("azurerm_subnet")[subnet[1]]["delegation"]
    assert delegation["service_delegation"]["name"] == "Microsoft.DBforPostgreSQL/flexibleServers"
    assert server["private_dns_zone_id"].startswith("${azurerm_private_dns_zone.")


def test_its_zone_is_linked_and_its_key_granted_before_it_is_made(synthesis: Document) -> None:
    graph = graph_of(synthesis)
    (address,) = (found for found in graph if found.startswith("azurerm_postgresql_flexible_server."))
    needed = needed_by(graph, address)

    assert any(
        found.startswith("azurerm_private_dns_zone_virtual_network_link.") and "postgres" in found for found in needed
    )
    assert any(found.startswith("azurerm_role_assignment.Database_KeyUser") for found in needed)
    assert any(found.startswith("time_sleep.Database_KeyUser") for found in needed)


def test_nobody_logs_in_with_a_password(server: Json) -> None:
    login = server["authentication"]

    assert login["password_auth_enabled"] is False
    assert login["active_directory_auth_enabled"] is True
    assert not {"administrator_login", "administrator_password", "administrator_password_wo"} & server.keys()


def test_its_administrator_is_an_identity_of_its_own(synthesis: Document) -> None:
    """Whoever applies next is somebody else, and the server wants a name that only the directory knows."""
    administrator = synthesis.only("azurerm_postgresql_flexible_server_active_directory_administrator")

    assert administrator["principal_type"] == "ServicePrincipal"
    assert administrator["principal_name"] == synthesis.outputs()["administrator"]["value"]
    assert administrator["object_id"].startswith("${azurerm_user_assigned_identity.Database_Administrator")


def test_it_is_encrypted_by_an_identity_that_may_use_its_key_alone_and_follows_a_rotation(server: Json) -> None:
    key = server["customer_managed_key"]

    assert key["key_vault_key_id"].endswith(".versionless_id}")
    assert [key["primary_user_assigned_identity_id"]] == server["identity"]["identity_ids"]


def test_a_failover_is_not_undone_and_a_grown_disk_not_replaced(server: Json) -> None:
    """After a failover the zones are swapped; a disk that is smaller in the spec replaces the whole server."""
    assert server["high_availability"] == {"mode": "ZoneRedundant"}
    assert server["auto_grow_enabled"] is True
    assert {"zone", "high_availability[0].standby_availability_zone", "storage_mb", "storage_tier"} <= set(
        server["lifecycle"]["ignore_changes"]
    )


def test_plain_connections_are_refused_and_vectors_allowed(synthesis: Document) -> None:
    values = settings(synthesis)

    assert values["require_secure_transport"] == "on"
    assert values["azure.extensions"] == "VECTOR"
    assert values["log_min_duration_statement"] == "1000"


def test_a_protected_server_and_its_database_cannot_be_destroyed(server: Json, synthesis: Document) -> None:
    assert server["lifecycle"]["prevent_destroy"] is True
    assert synthesis.only("azurerm_postgresql_flexible_server_database")["lifecycle"]["prevent_destroy"] is True


def test_a_name_leaves_room_for_what_makes_it_unique_in_all_of_azure(server: Json) -> None:
    assert server["name"].startswith("threads-${substr(sha256(")


def test_both_certificates_that_a_server_may_show_are_told() -> None:
    """Azure signs with either, so that a client that trusts one of them fails some day."""
    assert roots().count("BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize(
    ("spec", "remedy"),
    [
        (replace(SPEC, backup_days=6), "use 7 to 35 days"),
        (replace(SPEC, vcpus=2, memory_gib=4), "switch it off"),
        (replace(SPEC, vcpus=2, memory_gib=12), "8 or 16 GiB"),
        (replace(SPEC, vcpus=3), "use one of 2, 4"),
        (replace(SPEC, storage_gib=40_000, most_storage_gib=65_000), "at most 32767 GiB"),
    ],
    ids=["few days", "a standby of a burstable machine", "odd memory", "odd processors", "a large disk"],
)
def test_what_azure_would_refuse_is_refused_with_a_remedy(spec: DatabaseSpec, remedy: str) -> None:
    with pytest.raises(InvalidSpecError, match=remedy):
        made(spec)


@pytest.mark.parametrize(("wanted", "name"), MACHINES.items(), ids=str)
def test_every_machine_on_the_list_can_be_asked_for(wanted: tuple[int, int], name: str) -> None:
    vcpus, memory = wanted

    assert machine(replace(SPEC, vcpus=vcpus, memory_gib=memory, highly_available=False)) == name


@given(gib=st.integers(20, 32_767))
def test_a_disk_is_the_smallest_on_the_ladder_that_holds_what_is_asked_for(gib: int) -> None:
    size = disk_mib(replace(SPEC, storage_gib=gib, most_storage_gib=65_536))

    assert size // 1024 >= gib
    assert not [smaller for smaller in DISKS_MIB if smaller < size and smaller // 1024 >= gib]


def test_the_week_begins_on_sunday_where_azure_counts_its_days() -> None:
    _, stack = made(replace(SPEC, maintenance_day=Weekday.MONDAY, maintenance_hour=5))

    window = stack.document().only("azurerm_postgresql_flexible_server")["maintenance_window"]

    assert window == {"day_of_week": 1, "start_hour": 5, "start_minute": 0}


def test_the_alarm_on_connections_knows_how_many_the_machine_takes() -> None:
    database, _ = made()

    (alarm,) = (each for each in database.alarms(AlertsSpec(name="prod")) if each.metric == "active_connections")

    assert alarm.threshold == connections(SPEC) * 85 // 100 == 730


def test_an_existing_server_is_only_looked_up_and_has_no_alarm_on_a_limit_that_is_not_known() -> None:
    stack = AzureNetworkStack()
    database = FlexiblePostgres.existing(
        stack, "Database", name="theirs", place=stack.place, database="app", administrator="dba"
    )

    synthesis = stack.document()

    assert synthesis.data("azurerm_postgresql_flexible_server")
    assert not synthesis.resources("azurerm_postgresql_flexible_server")
    assert "active_connections" not in {each.metric for each in database.alarms(AlertsSpec(name="prod"))}


@pytest.fixture(scope="module")
def away() -> tuple[Document, Document]:
    database, home = made()
    second = AzureNetworkStack("away", app=home.app, region="northeurope", cidr="10.1.0.0/16")
    PostgresReplica(second, "Replica", SPEC, source=database, **second.around)
    return home.document(), synthesized(second)


def test_a_copy_is_under_a_key_of_its_own_region(away: tuple[Document, Document]) -> None:
    """A key never leaves its region, and neither does the identity that uses it."""
    _, second = away
    copy = second.only("azurerm_postgresql_flexible_server")

    assert copy["create_mode"] == "Replica"
    assert copy["location"] == "northeurope"
    assert copy["customer_managed_key"]["key_vault_key_id"].startswith("${azurerm_key_vault_key.")
    assert "terraform_remote_state" in copy["source_server_id"]


def test_a_copy_and_its_source_reach_and_find_each_other(away: tuple[Document, Document]) -> None:
    """A network takes one zone of a name: both servers have their names in the source's, which both networks see."""
    home, second = away
    copy = second.only("azurerm_postgresql_flexible_server")
    peerings = second.resources("azurerm_virtual_network_peering").values()
    zones = {zone["name"] for zone in second.resources("azurerm_private_dns_zone").values()}

    assert len(peerings) == 2
    assert not home.resources("azurerm_virtual_network_peering")
    assert "terraform_remote_state" in copy["private_dns_zone_id"]
    assert "privatelink.postgres.database.azure.com" not in zones


def test_the_first_region_does_not_need_the_second(away: tuple[Document, Document]) -> None:
    home, _ = away

    assert "terraform_remote_state" not in home.text


def test_a_switchover_is_not_undone_by_the_next_apply(away: tuple[Document, Document]) -> None:
    _, second = away

    ignored = second.only("azurerm_postgresql_flexible_server")["lifecycle"]["ignore_changes"]

    assert {"create_mode", "source_server_id", "replication_role"} <= set(ignored)
    assert second.only("azurerm_postgresql_flexible_server_virtual_endpoint")["type"] == "ReadWrite"


def test_a_copy_of_a_server_in_an_unknown_network_is_refused() -> None:
    stack = AzureNetworkStack()
    database = FlexiblePostgres.existing(
        stack, "Database", name="theirs", place=stack.place, database="app", administrator="dba"
    )

    with pytest.raises(InvalidSpecError, match=r"FlexiblePostgres\.existing"):
        PostgresReplica(stack, "Replica", SPEC, source=database, **stack.around)
