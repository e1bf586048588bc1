"""Machines have no address on the internet."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="private-machine",
    title="No machine has a public address",
    reason="A public address goes around the network's one way in and its one way out.",
    controls=Controls(cis=("12.2", "4.4"), nist=("AC-4", "SC-7"), soc2=("CC6.6",)),
    topics=(Topic.PRIVATE_MACHINE,),
)
