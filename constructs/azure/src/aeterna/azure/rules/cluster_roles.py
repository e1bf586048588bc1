"""Who may do what in a cluster is decided by Azure's roles, and by nothing that grants all."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import TRUE

SETTINGS: Final = {
    "azurerm_kubernetes_cluster": (
        Setting(path="azure_active_directory_role_based_access_control.azure_rbac_enabled", wants=TRUE),
        Setting(path="role_based_access_control_enabled", wants=TRUE, absent_is_right=True),
    ),
}

RULE = Rule(
    id="azure-cluster-roles",
    title="Azure's roles decide who may do what in a cluster",
    reason="Else the rights inside the cluster are kept apart from those outside, and nobody reviews them together.",
    controls=Controls(cis=("6.7", "6.8"), nist=("AC-2", "AC-3", "AC-6"), soc2=("CC6.1", "CC6.3")),
    settings=SETTINGS,
)
