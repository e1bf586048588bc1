"""A store can be restored as it was at any moment."""

from __future__ import annotations

from aeterna.contracts.sizes import Size
from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="point-in-time",
    title="Any moment can be restored",
    reason="A backup of last night gives back last night; what came after it is lost.",
    controls=Controls(cis=("11.2", "11.5"), nist=("CP-9", "CP-10(2)"), soc2=("A1.2", "A1.3")),
    applies_from=Size.STANDARD,
    topics=(Topic.POINT_IN_TIME,),
)
