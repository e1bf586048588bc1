"""Storage is encrypted a second time below the customer's key; it can never be switched on later."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import TRUE

SETTINGS: Final = {
    "azurerm_storage_account": (Setting(path="infrastructure_encryption_enabled", wants=TRUE),),
}

RULE = Rule(
    id="azure-double-encryption",
    title="Storage is encrypted twice",
    reason="A flaw in one of the two algorithms, or one of the two keys, opens nothing; the choice is final.",
    controls=Controls(cis=("3.11",), nist=("SC-28(1)",), soc2=("CC6.1",)),
    settings=SETTINGS,
)
