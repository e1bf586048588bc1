"""Stores keep backups for a week or longer."""

from __future__ import annotations

from aeterna.contracts.sizes import Size
from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="backups-kept",
    title="Backups are kept for a week or longer",
    reason="A mistake that is found on Monday was made on Friday.",
    controls=Controls(cis=("11.2",), nist=("CP-9",), soc2=("A1.2",)),
    applies_from=Size.STANDARD,
    topics=(Topic.BACKUPS,),
)
