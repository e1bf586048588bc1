"""Older versions of objects are kept."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="object-versions",
    title="Older versions of objects are kept",
    reason="An object that is overwritten or deleted is otherwise gone, whether by mistake or by an attacker.",
    controls=Controls(cis=("11.2", "11.3"), nist=("CP-9", "SI-12"), soc2=("A1.2",)),
    topics=(Topic.VERSIONS,),
)
