"""What holds data, or the key to it, refuses to be deleted."""

from __future__ import annotations

from aeterna.contracts.sizes import Size
from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="deletion-protected",
    title="A deletion has to be allowed before it can happen",
    reason="A wrong plan, applied in haste, deletes a database as readily as a tag.",
    controls=Controls(cis=("11.3",), nist=("CP-9", "SI-12", "CM-5"), soc2=("A1.2", "CC8.1")),
    applies_from=Size.STANDARD,
    topics=(Topic.PROTECTION,),
)
