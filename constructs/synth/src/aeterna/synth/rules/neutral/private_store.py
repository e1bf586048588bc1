"""Stores have no address on the internet."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="private-store",
    title="No store can be reached from the internet",
    reason="Behind a public address only a password or a policy is left between the data and everybody.",
    controls=Controls(cis=("12.2", "3.3"), nist=("AC-4", "SC-7", "SC-7(5)"), soc2=("CC6.1", "CC6.6")),
    topics=(Topic.PRIVATE_STORE,),
)
