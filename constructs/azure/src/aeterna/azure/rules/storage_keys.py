"""An account's two secret keys open nothing: who reads it, signs in."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Companion, Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import FALSE, TRUE

FLOW_LOGS: Final = (Companion(type="azurerm_network_watcher_flow_log", by="storage_account_id"),)
"""The service that writes a network's flows knows no other way in."""

SETTINGS: Final = {
    "azurerm_storage_account": (
        Setting(path="shared_access_key_enabled", wants=FALSE, unless=FLOW_LOGS),
        Setting(path="default_to_oauth_authentication", wants=TRUE),
        Setting(path="local_user_enabled", wants=FALSE),
    ),
}

RULE = Rule(
    id="azure-storage-keys",
    title="An account's secret keys open nothing",
    reason="Whoever has one of the two keys may do anything, and nothing tells who it was.",
    controls=Controls(cis=("5.2", "6.7"), nist=("IA-5", "IA-5(7)", "AC-2"), soc2=("CC6.1",)),
    settings=SETTINGS,
)
