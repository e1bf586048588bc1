"""Nobody runs commands in a cluster through Azure's own door around its network."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import FALSE

SETTINGS: Final = {
    "azurerm_kubernetes_cluster": (Setting(path="run_command_enabled", wants=FALSE),),
}

RULE = Rule(
    id="azure-run-command",
    title="No command runs in a cluster from outside its network",
    reason="It runs as administrator inside the cluster, from anywhere that reaches the portal.",
    controls=Controls(cis=("4.8", "12.3"), nist=("AC-17", "CM-7"), soc2=("CC6.6",)),
    settings=SETTINGS,
)
