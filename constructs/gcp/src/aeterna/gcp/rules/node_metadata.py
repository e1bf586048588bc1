"""Pods ask GKE's metadata server, which knows which pod asks, and not the machine's own."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import one_of

SETTINGS: Final = {
    "google_container_node_pool": (
        Setting(path="node_config.workload_metadata_config.mode", wants=one_of("GKE_METADATA", weaker="GCE_METADATA")),
    ),
}

RULE = Rule(
    id="gcp-node-metadata",
    title="Pods cannot take the node's identity",
    reason="From the machine's own metadata service every pod reads a token of the node's account.",
    controls=Controls(cis=("6.8", "4.1"), nist=("AC-6", "CM-6"), soc2=("CC6.1", "CC6.3")),
    settings=SETTINGS,
)
