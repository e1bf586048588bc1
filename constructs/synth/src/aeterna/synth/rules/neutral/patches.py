"""Patches arrive by themselves."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="patches",
    title="Patches arrive by themselves",
    reason="Most intrusions use a flaw that has been mended elsewhere.",
    controls=Controls(cis=("7.3", "7.4"), nist=("SI-2", "SI-2(5)"), soc2=("CC7.1",)),
    topics=(Topic.UPGRADES,),
)
