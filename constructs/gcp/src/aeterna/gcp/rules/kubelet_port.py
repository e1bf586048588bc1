"""A node's agent answers nobody who does not say who he is."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import one_of

SETTINGS: Final = {
    "google_container_node_pool": (
        Setting(
            path="node_config.kubelet_config.insecure_kubelet_readonly_port_enabled",
            wants=one_of("FALSE", "false", weaker="TRUE"),
        ),
    ),
}

RULE = Rule(
    id="gcp-kubelet-port",
    title="A node's agent answers only who signs in",
    reason="Its older port tells anybody in the network which pods run there.",
    controls=Controls(cis=("4.8", "4.4"), nist=("AC-3", "CM-7"), soc2=("CC6.1", "CC6.6")),
    settings=SETTINGS,
)
