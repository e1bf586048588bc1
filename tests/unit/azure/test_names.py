"""Names that are unique in the world, and short enough for it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.azure.names import ACCOUNT, LONGEST_VAULT, account_name
from aeterna.azure.vault import AzureKeyVault
from aeterna.contracts.naming import NAME
from fixtures.azure_stack import AzureStack

LONG = "acme-corporation-production-westeurope-graph"


@given(name=st.from_regex(NAME, fullmatch=True).filter(lambda name: 3 <= len(name) <= 63))
def test_every_name_of_a_bucket_makes_the_name_of_an_account(name: str) -> None:
    """Azure takes 24 letters and digits; a prefix of 15 was enough to break the modules that this one succeeds."""
    assert ACCOUNT.fullmatch(account_name(name))


@given(name=st.from_regex(NAME, fullmatch=True).filter(lambda name: 3 <= len(name) <= 63))
def test_the_name_of_an_account_stays_when_it_is_made_again(name: str) -> None:
    """What a deployed state store tells is given back to `StateSpec.bucket`, and has to mean the same account."""
    assert account_name(account_name(name)) == account_name(name)


def test_long_names_that_begin_alike_make_different_accounts() -> None:
    assert account_name(LONG) != account_name(f"{LONG}-2")


@pytest.mark.parametrize("environment", ["p", "prod", "production-eu-of-acme", "a-very-long-environment-that-goes-on"])
def test_the_name_of_a_vault_fits_and_is_one_subscriptions_alone(environment: str) -> None:
    """Vault names are the whole world's, and a deleted vault keeps its name for 90 days."""
    stack = AzureStack()
    AzureKeyVault.of(stack.place, environment=environment)

    vaults = stack.document().resources("azurerm_key_vault").values()

    for vault in vaults:
        beginning, expression = vault["name"].split("${", 1)
        assert re.fullmatch(r"[a-z](?:-?[a-z0-9])*-", beginning)
        assert len(beginning) + 8 <= LONGEST_VAULT
        assert "subscription_id" in expression
