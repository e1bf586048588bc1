"""A deleted key can be brought back for a while: with it goes all that it encrypts."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="key-grace",
    title="A deleted key can be brought back for a week or longer",
    reason="Whoever deletes a key deletes everything under it; somebody has to have the time to notice.",
    controls=Controls(cis=("11.3", "3.11"), nist=("SC-12(1)", "CP-9"), soc2=("A1.2", "CC6.1")),
    topics=(Topic.KEY_GRACE,),
)
