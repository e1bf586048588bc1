"""What keys and their vault are on Azure, read from what Terraform would be given."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.azure.keys import AzureKey
from aeterna.azure.vault import AzureKeyVault
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeySpec
from fixtures.azure_stack import AzureStack, named, roles

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

USE = "Key Vault Crypto Service Encryption User"
ADMINISTRATOR = "00000000-0000-0000-0000-000000000001"
USES_KEYS = ("encrypt", "decrypt", "wrap", "unwrap", "sign", "verify", "purge", "*")


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = AzureStack()
    stack.key.identity_for(stack, "First")
    stack.key.identity_for(stack, "Second")
    return stack.document()


def test_roles_alone_open_the_vault_and_the_internet_does_not(synthesis: Document) -> None:
    vault = synthesis.only("azurerm_key_vault")

    assert vault["rbac_authorization_enabled"] is True
    assert "access_policy" not in vault
    assert vault["network_acls"] == {"default_action": "Deny", "bypass": "AzureServices", "ip_rules": []}


def test_the_vault_cannot_be_emptied_for_good(synthesis: Document) -> None:
    """Stores refuse a key of a vault that can, and whatever is encrypted under a purged key is lost."""
    vault = synthesis.only("azurerm_key_vault")

    assert vault["purge_protection_enabled"] is True
    assert vault["soft_delete_retention_days"] == 90
    assert vault["lifecycle"]["prevent_destroy"]


def test_a_deleted_vault_is_taken_back_rather_than_purged() -> None:
    """Its name stays taken for 90 days, so that a new one of that name would be refused."""
    (provider,) = AzureStack().document().json["provider"]["azurerm"]
    (features,) = provider["features"]
    (vaults,) = features["key_vault"]

    assert vaults["recover_soft_deleted_key_vaults"] is True
    assert vaults["recover_soft_deleted_keys"] is True
    assert vaults["purge_soft_delete_on_destroy"] is False


def test_only_the_pipelines_addresses_reach_the_vault() -> None:
    stack = AzureStack()
    AzureKeyVault.of(stack.place, environment="named", runners=["8.8.8.8/32"])

    vault = named(stack.document().resources("azurerm_key_vault"), "named")

    assert vault["network_acls"]["ip_rules"] == ["8.8.8.8"]
    assert vault["network_acls"]["default_action"] == "Deny"


def test_keys_wait_until_their_maker_is_known_to_the_vault(synthesis: Document) -> None:
    """Keys are made in the vault's data plane, which refuses whoever got the role a moment ago."""
    key = synthesis.only("azurerm_key_vault_key")
    deployer = named(roles(synthesis), "Deployer")
    (wait,) = (name for name in synthesis.resources("time_sleep") if "Deployer" in name)

    assert deployer["role_definition_name"] == "Key Vault Crypto Officer"
    assert "azurerm_key_vault." in deployer["scope"]
    assert f"time_sleep.{wait}" in key["depends_on"]


def test_another_deployer_does_not_take_the_first_ones_role_away(synthesis: Document) -> None:
    """Pipeline and people apply in turn: each apply would replace the other's role, and then wait for it."""
    assert named(roles(synthesis), "Deployer")["lifecycle"]["ignore_changes"] == ["principal_id"]


def test_the_vault_rotates_the_key_and_never_ends_it(synthesis: Document) -> None:
    """A version that ends takes with it what a store has not wrapped again yet."""
    key = synthesis.only("azurerm_key_vault_key")

    assert key["rotation_policy"] == {"automatic": {"time_after_creation": "P365D"}}
    assert "expiration_date" not in key
    assert key["key_size"] == 3072
    assert key["lifecycle"]["prevent_destroy"]


def test_each_use_of_a_key_is_an_identity_of_its_own_granted_on_that_key_alone(synthesis: Document) -> None:
    """A grant on the vault would open every key in it."""
    grants = [role for role in roles(synthesis).values() if role["role_definition_name"] == USE]

    assert len(grants) == 2
    assert len({grant["principal_id"] for grant in grants}) == 2
    for grant in grants:
        assert grant["scope"].endswith(".resource_versionless_id}")
        assert grant["principal_type"] == "ServicePrincipal"
        assert grant["skip_service_principal_aad_check"] is True


def test_two_stores_under_one_key_have_identities_of_different_names(synthesis: Document) -> None:
    """Azure makes an identity by writing it: of one name, the second would silently be the first."""
    identities = synthesis.resources("azurerm_user_assigned_identity").values()

    assert len({identity["name"] for identity in identities}) == 2


def test_a_key_for_each_purpose_lives_in_the_one_vault_of_its_environment() -> None:
    stack = AzureStack()
    AzureKey(stack, "Other", KeySpec(purpose="logs", environment="prod"), place=stack.place)

    document = stack.document()

    assert len(document.resources("azurerm_key_vault")) == 1
    assert {key["name"] for key in document.resources("azurerm_key_vault_key").values()} == {
        "prod-stores",
        "prod-logs",
    }


def test_administrators_change_and_delete_the_key_and_cannot_use_it() -> None:
    stack = AzureStack()
    spec = KeySpec(purpose="other", environment="prod", administrators=(ADMINISTRATOR,), rotation=timedelta(days=90))
    AzureKey(stack, "Other", spec, place=stack.place)

    document = stack.document()

    (permissions,) = document.only("azurerm_role_definition")["permissions"]
    assert not [action for action in permissions["data_actions"] for use in USES_KEYS if f"/{use}" in action]
    administrator = named(roles(document), "Administrator1")
    assert administrator["principal_id"] == ADMINISTRATOR
    assert administrator["scope"].endswith(".resource_versionless_id}")


def test_an_administrator_is_an_object_and_no_name_that_a_person_signs_in_with() -> None:
    """Azure would refuse it at apply, after the key is made."""
    stack = AzureStack()
    spec = KeySpec(purpose="other", environment="prod", administrators=("ada@example.com",))

    with pytest.raises(InvalidSpecError, match="object ID"):
        AzureKey(stack, "Other", spec, place=stack.place)


def test_a_key_that_is_not_protected_can_be_destroyed() -> None:
    stack = AzureStack()
    AzureKey(stack, "Other", KeySpec(purpose="other", environment="trial", protected=False), place=stack.place)

    document = stack.document()

    assert "prevent_destroy" not in named(document.resources("azurerm_key_vault_key"), "Other").get("lifecycle", {})
    assert "prevent_destroy" not in named(document.resources("azurerm_key_vault"), "trial").get("lifecycle", {})


def test_an_existing_key_is_looked_up_in_its_vault() -> None:
    stack = AzureStack()
    vault = AzureKeyVault.existing(stack, "Vault", name="shared", group="security")
    AzureKey.existing(stack, "Existing", vault=vault, name="graph").identity_for(stack, "User")

    document = stack.document()

    (key,) = document.data("azurerm_key_vault_key").values()
    assert key["name"] == "graph"
    assert "data.azurerm_key_vault." in key["key_vault_id"]
    assert "data.azurerm_key_vault_key." in named(roles(document), "User")["scope"]
