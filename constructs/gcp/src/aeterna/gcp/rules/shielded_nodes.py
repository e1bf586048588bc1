"""Nodes start only what is signed, and notice what was changed."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import TRUE

SETTINGS: Final = {
    "google_container_cluster": (Setting(path="enable_shielded_nodes", wants=TRUE, absent_is_right=True),),
    "google_container_node_pool": (
        Setting(path="node_config.shielded_instance_config.enable_secure_boot", wants=TRUE),
        Setting(
            path="node_config.shielded_instance_config.enable_integrity_monitoring", wants=TRUE, absent_is_right=True
        ),
    ),
    "google_compute_instance_template": (Setting(path="shielded_instance_config.enable_secure_boot", wants=TRUE),),
}

RULE = Rule(
    id="gcp-shielded-nodes",
    title="Nodes start only what is signed",
    reason="What an intruder writes below the operating system survives every restart.",
    controls=Controls(cis=("4.1", "10.5"), nist=("SI-7", "SI-7(6)"), soc2=("CC6.8", "CC7.1")),
    settings=SETTINGS,
)
