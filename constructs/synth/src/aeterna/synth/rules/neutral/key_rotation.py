"""Keys rotate by themselves."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="key-rotation",
    title="Every key rotates by itself, once a year or more often",
    reason="A key that is never replaced protects ever more data for as long as nobody notices that it leaked.",
    controls=Controls(cis=("3.11",), nist=("SC-12(2)", "SC-12(3)"), soc2=("CC6.1",)),
    topics=(Topic.KEY_ROTATION,),
)
