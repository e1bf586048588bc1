"""Data outlives the resource that held it."""

from __future__ import annotations

from aeterna.contracts.sizes import Size
from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="kept-on-destroy",
    title="Data outlives the resource that held it",
    reason="A resource is destroyed by mistake once; the last snapshot is then all that is left.",
    controls=Controls(cis=("11.3",), nist=("CP-9", "SI-12"), soc2=("A1.2", "C1.2")),
    applies_from=Size.STANDARD,
    topics=(Topic.KEPT,),
)
