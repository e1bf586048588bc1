"""What a Valkey cache on Memorystore is, read from what Terraform would be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.gcp.cache import MemorystoreValkey
from aeterna.gcp.cache_machine import NODES, node_type
from aeterna.synth.app import TerraformOutput
from fixtures.gcp_stack import GoogleStack, named, waits_for

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

WORKLOAD = Late("opal@acme.iam.gserviceaccount.com")


def alone(spec: CacheSpec) -> Document:
    stack = GoogleStack()
    stack.cache(spec)
    return stack.document()


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = GoogleStack()
    cache = stack.cache(CacheSpec(name="policy"))
    cache.grant_to(stack, "Workload", email=WORKLOAD)
    TerraformOutput(stack, "host", value=cache.outputs.host)
    TerraformOutput(stack, "reader", value=cache.outputs.reader_host)
    TerraformOutput(stack, "authority", value=cache.outputs.certificate_authority)
    return stack.document()


@pytest.fixture(scope="module")
def instance(synthesis: Document) -> Json:
    return synthesis.only("google_memorystore_instance")


def test_a_cache_is_under_the_customers_key_which_its_agent_may_use_beforehand(
    instance: Json, synthesis: Document
) -> None:
    grant = named(synthesis.resources("google_kms_crypto_key_iam_member"), "Cache_KeyUse")

    assert "data.google_kms_crypto_key" in instance["kms_key"]
    assert "@gcp-sa-memorystore." in grant["member"]
    assert waits_for(instance, "KeyUse")


def test_a_cache_speaks_only_tls_and_only_with_who_shows_a_token(instance: Json) -> None:
    """Both are off by default, and changing either replaces the cache."""
    assert instance["transit_encryption_mode"] == "SERVER_AUTHENTICATION"
    assert instance["authorization_mode"] == "IAM_AUTH"


def test_clients_get_the_certificate_that_the_systems_own_authorities_did_not_sign(synthesis: Document) -> None:
    assert "managed_server_ca[*].ca_certs[*].certificates" in synthesis.outputs()["authority"]["value"]


def test_a_cache_speaks_the_plain_protocol_on_one_shard(instance: Json) -> None:
    """A client that does not know the cluster's protocol is told to go elsewhere, and does not understand."""
    assert instance["mode"] == "CLUSTER_DISABLED"
    assert instance["shard_count"] == 1


def test_the_copy_stands_in_another_zone(instance: Json) -> None:
    assert instance["replica_count"] == 1
    assert instance["zone_distribution_config"] == {"mode": "MULTI_ZONE"}


def test_a_cache_waits_for_the_policy_that_lets_it_into_the_network() -> None:
    stack = GoogleStack()
    network = stack.made_network()
    MemorystoreValkey(stack, "Cache", CacheSpec(name="policy"), place=stack.place, network=network, key=stack.key)

    instance = stack.document().only("google_memorystore_instance")

    assert waits_for(instance, "google_network_connectivity_service_connection_policy")


def test_host_and_reader_are_told_apart_by_what_they_are_and_not_by_their_place(synthesis: Document) -> None:
    """The service lists its addresses in no promised order."""
    outputs = synthesis.outputs()

    assert "CONNECTION_TYPE_PRIMARY" in outputs["host"]["value"]
    assert "CONNECTION_TYPE_READER" in outputs["reader"]["value"]


def test_a_cache_without_copies_is_read_where_it_is_written() -> None:
    stack = GoogleStack()

    outputs = stack.cache(CacheSpec(name="policy", replicas=0)).outputs

    assert outputs.reader_host == outputs.host


def test_a_workload_may_log_in_here_and_at_no_other_cache_of_the_project(synthesis: Document) -> None:
    """Roles of Memorystore are granted on a whole project."""
    grant = synthesis.only("google_project_iam_member")

    assert grant["role"] == "roles/memorystore.dbConnectionUser"
    assert grant["member"] == f"serviceAccount:{WORKLOAD}"
    assert 'endsWith("/locations/europe-west4/instances/policy")' in grant["condition"]["expression"]


def test_nothing_reaches_a_cache_until_a_cluster_is_admitted(synthesis: Document) -> None:
    closed = synthesis.only("google_compute_firewall")

    assert closed["direction"] == "EGRESS"
    assert closed["deny"] == [{"protocol": "all"}]
    assert len(closed["destination_ranges"]) == 2


def test_backups_are_kept_for_as_long_as_the_spec_says_and_none_where_it_says_none(instance: Json) -> None:
    assert instance["automated_backup_config"]["retention"] == "604800s"
    assert "automated_backup_config" not in alone(CacheSpec(name="p", backup_days=0)).only(
        "google_memorystore_instance"
    )


def test_the_engine_is_the_one_of_the_spec(instance: Json) -> None:
    assert instance["engine_version"] == "VALKEY_8_0"


@given(memory=st.integers(1, 310))
@settings(max_examples=100, deadline=None)
def test_the_smallest_node_with_the_memory_is_taken_or_the_spec_is_refused(memory: int) -> None:
    fitting = [node for node, room in NODES.items() if room >= memory]
    try:
        chosen = node_type(CacheSpec(name="p", memory_gib=memory))
    except InvalidSpecError:
        assert fitting == []
    else:
        assert chosen == fitting[0]
