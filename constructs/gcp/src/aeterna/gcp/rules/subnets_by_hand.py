"""A network has the subnets that somebody planned, and not one in every region."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import FALSE

SETTINGS: Final = {
    "google_compute_network": (Setting(path="auto_create_subnetworks", wants=FALSE),),
}

RULE = Rule(
    id="gcp-subnets-by-hand",
    title="A network has only the subnets that were planned",
    reason="Subnets in every region overlap those of every other such network.",
    controls=Controls(cis=("12.2", "4.7"), nist=("CM-6", "CM-7", "SC-7"), soc2=("CC6.6",)),
    settings=SETTINGS,
)
