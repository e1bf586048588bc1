"""Stores are encrypted under a key of the customer's, not one of the cloud's."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="customer-key-store",
    title="Every store is encrypted under a key of yours",
    reason="Under a key of the cloud's, nobody but the cloud can see who decrypts, or end it.",
    controls=Controls(cis=("3.11",), nist=("SC-12", "SC-13", "SC-28(1)"), soc2=("CC6.1", "C1.1")),
    topics=(Topic.STORE_KEY,),
)
