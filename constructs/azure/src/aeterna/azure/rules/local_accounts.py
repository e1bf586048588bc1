"""A cluster has no accounts of its own beside those of Entra ID."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import TRUE

SETTINGS: Final = {
    "azurerm_kubernetes_cluster": (Setting(path="local_account_disabled", wants=TRUE),),
}

RULE = Rule(
    id="azure-local-accounts",
    title="A cluster has no local accounts",
    reason="The certificate of the local administrator cannot be taken back, and names nobody.",
    controls=Controls(cis=("5.2", "6.7"), nist=("AC-2", "IA-2", "IA-5"), soc2=("CC6.1", "CC6.2")),
    settings=SETTINGS,
)
