"""Stores and listeners refuse connections in the clear."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="tls-required",
    title="Connections in the clear are refused",
    reason="What is only offered encrypted is sooner or later asked for in the clear, and nobody notices.",
    controls=Controls(cis=("3.10",), nist=("SC-8", "SC-8(1)"), soc2=("CC6.7",)),
    topics=(Topic.TLS,),
)
