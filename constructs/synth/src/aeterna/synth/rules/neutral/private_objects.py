"""Objects cannot be made public."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="private-objects",
    title="No object can be made public",
    reason="One access list or one policy, written in haste, publishes a bucket; a block on top of it does not let it.",
    controls=Controls(cis=("3.3",), nist=("AC-3", "AC-22", "SC-7"), soc2=("CC6.1", "CC6.6")),
    topics=(Topic.PRIVATE_OBJECTS,),
)
