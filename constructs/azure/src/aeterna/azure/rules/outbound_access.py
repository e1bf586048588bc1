"""A subnet has no way out that nobody planned."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting, When
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import FALSE

NOT_HANDED_OVER: Final = (When(path="delegation"),)
"""In a subnet that is handed over to a service, the service decides."""

SETTINGS: Final = {
    "azurerm_subnet": (Setting(path="default_outbound_access_enabled", wants=FALSE, when=NOT_HANDED_OVER),),
}

RULE = Rule(
    id="azure-outbound-access",
    title="A subnet has no way out that nobody planned",
    reason="Azure gives each machine a way to the internet by itself, from an address that is not yours.",
    controls=Controls(cis=("12.2", "13.4"), nist=("SC-7", "SC-7(5)"), soc2=("CC6.6",)),
    settings=SETTINGS,
)
