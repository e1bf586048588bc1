"""Laws of a whole foundation that only Azure has: who may do what, and what has to be there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.provider_schemas import given
from fixtures.resource_graph import kind_of
from synth.test_foundation_encryption import keys_of, used_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.testing import Json
    from fixtures.resource_graph import Joined

ASSIGNMENT = "azurerm_role_assignment"
USES_A_KEY = {"Key Vault Crypto Service Encryption User", "Key Vault Crypto User"}
"""The first wraps and unwraps; AKS encrypts and decrypts itself."""

WHOLE = {"azurerm_resource_group", "data.azurerm_subscription", "data.azurerm_client_config", "azurerm_key_vault"}
"""Scopes that hold more than one thing, and whatever is put into them later."""

WORKLOADS = {"catalog", "graph-api", "migrate", "opal", "policies", "threads"}

ALLOWED = {
    "catalog": {"Storage Blob Data Contributor", "Storage Blob Delegator"},
    "graph-api": {"Storage Blob Data Contributor"},
    "migrate": set[str](),
    "opal": set[str](),
    "policies": set[str](),
    "threads": {"Storage Blob Data Contributor"},
}
"""By workload, the roles of Azure that it may have; the database and the cache have roles of their own."""


def test_whatever_is_under_a_key_waits_until_its_identity_may_use_that_key(on_azure: Joined) -> None:
    """A role takes minutes to reach the vault. Without the wait the store is refused, or made without the key."""
    assignments = on_azure.resources(ASSIGNMENT)
    early: list[str] = []
    for layer, address, path, value in used_keys(on_azure):
        if path == "disk_encryption_set_id":  # the set has the key, and is looked at itself
            continue
        (key,) = keys_of(on_azure, layer, value)
        grants = [
            name
            for name, role in assignments.items()
            if role["role_definition_name"] in USES_A_KEY
            and key in on_azure.references(name.partition("/")[0], role["scope"])
            and on_azure.follows(address, name)
            and waited_for(on_azure, address, name)
            and may_act_as(on_azure, address, name)
        ]
        early += [] if grants else [f"{address}.{path}"]

    assert early == []


def waited_for(foundation: Joined, later: str, assignment: str) -> bool:
    """Whether a pause stands between the assignment and what needs it."""
    return any(
        assignment in foundation.graph[pause] and foundation.follows(later, pause)
        for pause in foundation.resources("time_sleep")
    )


def may_act_as(foundation: Joined, address: str, assignment: str) -> bool:
    """Whether the assignment is for an identity that the resource has, or for that of the vault it belongs to."""
    layer = assignment.partition("/")[0]
    principals = foundation.references(layer, foundation.resources(ASSIGNMENT)[assignment]["principal_id"])
    return bool(principals & foundation.graph[address])


def test_no_identity_uses_the_key_of_another_purpose(on_azure: Joined) -> None:
    keys: dict[str, set[str]] = {}
    for name, role in on_azure.resources(ASSIGNMENT).items():
        if role["role_definition_name"] in USES_A_KEY:
            layer = name.partition("/")[0]
            for principal in on_azure.references(layer, role["principal_id"]):
                keys.setdefault(principal, set()).update(on_azure.references(layer, role["scope"]))

    assert {principal: used for principal, used in keys.items() if len(used) != 1} == {}


def test_each_workload_is_trusted_for_one_exact_service_account_of_the_cluster(on_azure: Joined) -> None:
    credentials = on_azure.resources("azurerm_federated_identity_credential").values()

    assert {credential["subject"] for credential in credentials} == {
        f"system:serviceaccount:aeterna:{workload}" for workload in WORKLOADS
    }
    for credential in credentials:
        assert credential["audience"] == ["api://AzureADTokenExchange"]
        assert credential["issuer"].endswith(".oidc_issuer_url}")


def test_no_two_service_accounts_share_an_identity(on_azure: Joined) -> None:
    """Credentials of one identity are written one after the other or not at all, and twenty are the most."""
    identities = [
        on_azure.references("cluster", credential["user_assigned_identity_id"]).pop()
        for credential in on_azure.resources("azurerm_federated_identity_credential").values()
    ]

    assert len(set(identities)) == len(identities) == len(WORKLOADS)


def test_a_workload_has_the_roles_that_it_needs_on_single_resources_and_no_others(on_azure: Joined) -> None:
    for workload, identity in workloads(on_azure):
        roles = list(roles_of(on_azure, identity))

        assert {role["role_definition_name"] for _, role in roles} <= ALLOWED[workload], workload
        for layer, role in roles:
            scopes = on_azure.references(layer, role["scope"])
            assert scopes, role
            assert not {kind_of(scope) for scope in scopes} & WHOLE, role
            assert not role["scope"].startswith("/subscriptions/"), role


def workloads(foundation: Joined) -> Iterator[tuple[str, str]]:
    """Yield each service account with the identity that its pods act as."""
    for credential in foundation.resources("azurerm_federated_identity_credential").values():
        (identity,) = foundation.references("cluster", credential["user_assigned_identity_id"])
        yield credential["subject"].rpartition(":")[2], identity


def roles_of(foundation: Joined, identity: str) -> Iterator[tuple[str, Json]]:
    """Yield layer and arguments of every role that an identity has."""
    for name, role in foundation.resources(ASSIGNMENT).items():
        layer = name.partition("/")[0]
        if identity in foundation.references(layer, role["principal_id"]):
            yield layer, role


def test_nobody_owns_or_administers_anything(on_azure: Joined) -> None:
    """Contributor and Owner reach whatever is put beside what they are for."""
    given_away = {role["role_definition_name"] for role in on_azure.resources(ASSIGNMENT).values()}

    assert not given_away & {"Contributor", "Owner", "User Access Administrator", "Key Vault Administrator"}


def test_what_is_reached_by_a_private_name_follows_the_link_to_the_zone_of_that_name(on_azure: Joined) -> None:
    """Without the link the name leads to the public address, which refuses, and clients keep that answer."""
    links = on_azure.resources("azurerm_private_dns_zone_virtual_network_link")
    reached = {
        address: zones
        for layer, address, arguments in on_azure.elements()
        if kind_of(address)
        in {"azurerm_private_endpoint", "azurerm_postgresql_flexible_server", "azurerm_kubernetes_cluster"}
        for zones in [
            {
                zone
                for path, value in given(arguments)
                if "private_dns_zone_id" in path
                for zone in on_azure.references(layer, value)
            }
        ]
    }

    assert reached
    for address, zones in reached.items():
        assert zones, address
        for zone in zones:
            # A later layer may link the zone to a network of its own.
            ours = [name for name in links if zone in on_azure.graph[name] and not on_azure.later(name, address)]
            assert ours, zone
            assert all(on_azure.follows(address, link) for link in ours), f"{address} before a link of {zone}"


def test_nothing_of_it_is_reachable_from_the_internet(on_azure: Joined) -> None:
    """A vault and an account for logs have a public name, which answers only to those it lists."""
    for cluster in on_azure.resources("azurerm_kubernetes_cluster").values():
        assert cluster["private_cluster_enabled"] is True
        assert cluster["local_account_disabled"] is True
    for kind in ("azurerm_postgresql_flexible_server", "azurerm_container_registry"):
        assert all(store["public_network_access_enabled"] is False for store in on_azure.resources(kind).values())
    assert all(
        cache["public_network_access"] == "Disabled" for cache in on_azure.resources("azurerm_managed_redis").values()
    )
    for account in on_azure.resources("azurerm_storage_account").values():
        assert account["network_rules"]["default_action"] == "Deny"
        assert account["shared_access_key_enabled"] is False
        assert account["allow_nested_items_to_be_public"] is False
    for vault in on_azure.resources("azurerm_key_vault").values():
        assert vault["network_acls"]["default_action"] == "Deny"


def test_what_holds_data_refuses_to_be_destroyed(on_azure: Joined) -> None:
    """Azure has no switch of its own, but for the vault, which keeps what was deleted."""
    for kind in (
        "azurerm_container_registry",
        "azurerm_key_vault",
        "azurerm_key_vault_key",
        "azurerm_kubernetes_cluster",
        "azurerm_postgresql_flexible_server",
    ):
        for address, resource in on_azure.resources(kind).items():
            assert resource["lifecycle"]["prevent_destroy"] is True, address
    for vault in on_azure.resources("azurerm_key_vault").values():
        assert vault["purge_protection_enabled"] is True


def test_no_credential_is_made(on_azure: Joined) -> None:
    assert not on_azure.types() & {"azuread_application_password", "random_password", "azurerm_key_vault_secret"}
    for server in on_azure.resources("azurerm_postgresql_flexible_server").values():
        assert not {"administrator_password", "administrator_login"} & set(server)
        if server.get("create_mode") != "Replica":
            assert server["authentication"]["password_auth_enabled"] is False
    for cache in on_azure.resources("azurerm_managed_redis").values():
        assert cache["default_database"]["access_keys_authentication_enabled"] is False
