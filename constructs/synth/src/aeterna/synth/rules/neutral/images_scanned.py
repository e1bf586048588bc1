"""Images are scanned for known flaws."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="images-scanned",
    title="Images are scanned for known flaws",
    reason="An image that nobody looks at grows old in a registry, with every flaw that is found meanwhile.",
    controls=Controls(cis=("7.5", "16.4"), nist=("RA-5", "SI-2"), soc2=("CC7.1",)),
    topics=(Topic.SCANNING,),
)
