"""What a cache on Azure is, read from what Terraform would be given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.azure.cache import Clustering, ManagedRedis
from aeterna.azure.cache_machine import SIZES, size
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.errors import InvalidSpecError
from fixtures.azure_network_stack import AzureNetworkStack

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

SPEC = CacheSpec(name="policy")


def made(spec: CacheSpec = SPEC, *, clustering: Clustering = Clustering.HIDDEN) -> tuple[ManagedRedis, Document]:
    stack = AzureNetworkStack()
    cache = ManagedRedis(stack, "Cache", spec, **stack.around, clustering=clustering)
    return cache, stack.document()


@pytest.fixture(scope="module")
def synthesis() -> Document:
    return made()[1]


@pytest.fixture(scope="module")
def cache(synthesis: Document) -> Json:
    return synthesis.only("azurerm_managed_redis")


def test_it_is_closed_to_the_internet_and_open_to_the_network(cache: Json, synthesis: Document) -> None:
    """Open is the default; closed without a private endpoint, nothing reaches it at all."""
    (endpoint,) = (
        made
        for made in synthesis.resources("azurerm_private_endpoint").values()
        if made["private_service_connection"]["subresource_names"] == ["redisEnterprise"]
    )
    zones = {
        f"${{azurerm_private_dns_zone.{name}.id}}": zone["name"]
        for name, zone in synthesis.resources("azurerm_private_dns_zone").items()
    }

    assert cache["public_network_access"] == "Disabled"
    (zone,) = endpoint["private_dns_zone_group"]["private_dns_zone_ids"]
    assert zones[zone] == "privatelink.redis.azure.net"


def test_nobody_logs_in_with_a_key_or_without_tls(cache: Json) -> None:
    database = cache["default_database"]

    assert database["access_keys_authentication_enabled"] is False
    assert database["client_protocol"] == "Encrypted"


def test_it_names_a_version_of_the_key_because_the_service_takes_nothing_else(cache: Json) -> None:
    key = cache["customer_managed_key"]

    assert key["key_vault_key_id"].endswith(".id}")
    assert [key["user_assigned_identity_id"]] == cache["identity"]["identity_ids"]


def test_clients_that_know_nothing_of_clusters_are_served(cache: Json) -> None:
    """A policy that does not match what clients speak fails every write, and can never be changed."""
    assert cache["default_database"]["clustering_policy"] == "EnterpriseCluster"
    assert made()[0].outputs.clustered is False
    assert made(clustering=Clustering.SHOWN)[0].outputs.clustered is True


def test_a_cache_with_a_copy_survives_a_zone_and_one_without_does_not_pretend_to(cache: Json) -> None:
    _, alone = made(replace(SPEC, replicas=0, backup_days=0))

    assert cache["high_availability_enabled"] is True
    assert alone.only("azurerm_managed_redis")["high_availability_enabled"] is False
    assert "persistence_redis_database_backup_frequency" not in alone.only("azurerm_managed_redis")["default_database"]


@given(gib=st.integers(1, 288))
def test_it_has_the_smallest_size_that_holds_the_data(gib: int) -> None:
    chosen = size(replace(SPEC, memory_gib=gib))
    smaller = [memory for memory in SIZES.values() if memory < SIZES[chosen]]

    assert SIZES[chosen] * 0.8 >= gib
    assert all(memory * 0.8 < gib for memory in smaller)


def test_more_memory_than_the_largest_size_has_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="at most 288 GiB"):
        size(replace(SPEC, memory_gib=300))
