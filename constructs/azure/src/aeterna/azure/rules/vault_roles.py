"""A vault decides by Azure's roles: its own older policies know no scope, and no condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.wanted import TRUE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory

SETTINGS: Final = {"azurerm_key_vault": (Setting(path="rbac_authorization_enabled", wants=TRUE),)}


def _by_policies(inventory: Inventory) -> Iterator[Breach]:
    for policy in inventory.of("azurerm_key_vault_access_policy"):
        yield Breach(
            subject=policy, sentence="an access policy opens the whole vault; assign a role on one key instead"
        )


RULE = Rule(
    id="azure-vault-roles",
    title="A vault decides by Azure's roles",
    reason="A policy of the vault opens every key in it, and whoever may change the vault may give himself one.",
    controls=Controls(cis=("6.8", "3.3"), nist=("AC-3", "AC-6", "SC-12"), soc2=("CC6.1", "CC6.3")),
    settings=SETTINGS,
    check=_by_policies,
)
