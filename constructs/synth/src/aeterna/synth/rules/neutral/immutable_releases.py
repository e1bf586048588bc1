"""What was released under a name stays what it was."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="immutable-releases",
    title="What was released under a tag cannot change",
    reason="Whoever may push can otherwise replace what is already tested and running, under the same tag.",
    controls=Controls(cis=("16.11", "2.5"), nist=("CM-5", "SI-7"), soc2=("CC6.8", "CC8.1")),
    topics=(Topic.IMMUTABLE,),
)
