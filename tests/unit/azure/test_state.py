"""Where states are kept on Azure, and how a stack is told so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.azure.names import account_name
from aeterna.azure.state import StateStore, keep_state
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.state import StateSpec, StateStoreSpec
from aeterna.synth.app import TerraformOutput
from fixtures.azure_stack import AzureStack, named, roles

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

KEY = "https://prod-0a1b2c3d.vault.azure.net/keys/prod-state"
NAME = "acme-prod-westeurope-state"


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = AzureStack()
    spec = StateStoreSpec(name=NAME, noncurrent_days=730)
    store = StateStore(stack, "States", spec, place=stack.place, key=stack.key, runners=["8.8.8.8/32"])
    TerraformOutput(stack, "store", value=[store.outputs.bucket, store.outputs.key])
    return stack.document()


def kept(spec: StateSpec) -> Document:
    stack = AzureStack()
    keep_state(stack, spec, region="westeurope")
    return stack.document()


def test_a_state_is_reached_by_a_role_and_never_by_an_accounts_key() -> None:
    backend = kept(StateSpec(bucket=NAME)).json["terraform"]["backend"]["azurerm"]

    assert backend == {
        "storage_account_name": account_name(NAME),
        "container_name": "tfstate",
        "key": "aeterna/customer.tfstate",
        "use_azuread_auth": True,
    }


def test_a_state_is_encrypted_by_the_vaults_key_before_it_leaves_the_machine() -> None:
    encryption = kept(StateSpec(bucket=NAME, key=KEY)).json["terraform"]["encryption"]

    (provider,) = encryption["key_provider"]["azure_vault"].values()
    assert provider["vault_uri"] == "https://prod-0a1b2c3d.vault.azure.net/"
    assert provider["vault_key_name"] == "prod-state"
    assert encryption["state"]["enforced"] is True


@pytest.mark.parametrize(
    ("reason", "key"),
    [
        ("with a version, old states could not be read after a rotation", f"{KEY}/0a1b"),
        ("another cloud's", "arn:aws:kms:eu-west-1:111122223333:key/0a1b"),
        ("no vault has a name as long", f"https://{'a' * 25}.vault.azure.net/keys/state"),
        ("not a key", "https://prod.vault.azure.net/secrets/state"),
    ],
)
def test_what_is_not_the_address_of_a_key_is_refused(reason: str, key: str) -> None:
    with pytest.raises(InvalidSpecError, match="not the address of a key"):
        kept(StateSpec(bucket=NAME, key=key))


def test_a_deployed_store_tells_what_a_state_spec_takes(synthesis: Document) -> None:
    """The name of the account is made of the spec's, and stays when it is made again."""
    bucket, key = synthesis.outputs()["store"]["value"]

    assert bucket.endswith(".name}")
    assert key.endswith(".versionless_id}")
    assert synthesis.only("azurerm_storage_account")["name"] == account_name(account_name(NAME))


def test_older_states_come_back_for_as_long_as_they_are_kept(synthesis: Document) -> None:
    (rule,) = synthesis.only("azurerm_storage_management_policy")["rule"]
    blobs = synthesis.only("azurerm_storage_account")["blob_properties"]

    assert blobs["versioning_enabled"] is True
    assert rule["actions"]["version"] == {"delete_after_days_since_creation": 730}
    assert blobs["delete_retention_policy"] == {"days": 365}


def test_only_the_pipelines_addresses_reach_the_states(synthesis: Document) -> None:
    account = synthesis.only("azurerm_storage_account")

    assert account["network_rules"]["ip_rules"] == ["8.8.8.8"]
    assert account["network_rules"]["default_action"] == "Deny"


@pytest.mark.parametrize(("location", "copies"), [("westeurope", "RAGZRS"), ("polandcentral", "ZRS")])
def test_states_outlive_their_region_wherever_azure_copies_it_to_another(location: str, copies: str) -> None:
    """Without them nobody could take over what stands in the second region."""
    stack = AzureStack(location=location)
    StateStore(stack, "States", StateStoreSpec(name=NAME), place=stack.place, key=stack.key)

    assert stack.document().only("azurerm_storage_account")["account_replication_type"] == copies


def test_whoever_makes_the_store_may_write_states_into_it(synthesis: Document) -> None:
    """No key opens the account, so that even its maker needs a role."""
    deployer = named(roles(synthesis), "States_Deployer")

    assert deployer["role_definition_name"] == "Storage Blob Data Owner"
    assert "azurerm_storage_container." in deployer["scope"]
