"""Azure Policy looks at what is deployed into a cluster."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import TRUE

SETTINGS: Final = {
    "azurerm_kubernetes_cluster": (Setting(path="azure_policy_enabled", wants=TRUE),),
}

RULE = Rule(
    id="azure-cluster-policy",
    title="Azure Policy looks into every cluster",
    reason="Without it the rules of the subscription end at the door of the cluster.",
    controls=Controls(cis=("4.1", "16.1"), nist=("CM-6", "CM-7"), soc2=("CC7.1", "CC8.1")),
    settings=SETTINGS,
)
