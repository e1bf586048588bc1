"""Stores and clusters survive the loss of a zone."""

from __future__ import annotations

from aeterna.contracts.sizes import Size
from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="zone-redundant",
    title="The loss of a zone is survived without anybody's doing",
    reason="Zones fail, and are switched off for maintenance.",
    controls=Controls(cis=("11.1",), nist=("CP-10", "SC-36", "SI-13"), soc2=("A1.2",)),
    applies_from=Size.STANDARD,
    topics=(Topic.ZONES,),
)
