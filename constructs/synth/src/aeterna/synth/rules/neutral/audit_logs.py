"""Stores and clusters tell what happens in them."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="audit-logs",
    title="Stores and clusters tell what happens in them",
    reason="What was not recorded cannot be found out afterwards.",
    controls=Controls(cis=("8.2", "8.5"), nist=("AU-2", "AU-3", "AU-12"), soc2=("CC7.2", "CC7.3")),
    topics=(Topic.LOGS,),
)
