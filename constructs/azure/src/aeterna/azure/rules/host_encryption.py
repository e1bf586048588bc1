"""What a node keeps on the host itself is encrypted as well."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import TRUE

SETTINGS: Final = {
    "azurerm_kubernetes_cluster": (Setting(path="default_node_pool.host_encryption_enabled", wants=TRUE),),
    "azurerm_kubernetes_cluster_node_pool": (Setting(path="host_encryption_enabled", wants=TRUE),),
    "azurerm_linux_virtual_machine": (Setting(path="encryption_at_host_enabled", wants=TRUE),),
}

RULE = Rule(
    id="azure-host-encryption",
    title="A node's temporary disks and caches are encrypted",
    reason="The key on the disks does not reach what the host caches of them, nor the temporary disk.",
    controls=Controls(cis=("3.11",), nist=("SC-28", "SC-28(1)"), soc2=("CC6.1",)),
    settings=SETTINGS,
)
