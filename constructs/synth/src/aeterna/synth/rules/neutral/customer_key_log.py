"""Logs are encrypted under a key of the customer's: they quote what they tell of."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="customer-key-log",
    title="Logs are encrypted under a key of yours",
    reason="Logs quote queries, names and addresses, and are read by more people than the store they tell of.",
    controls=Controls(cis=("3.11", "8.3"), nist=("AU-9(3)", "SC-28(1)"), soc2=("CC6.1", "CC7.2")),
    topics=(Topic.LOG_KEY,),
)
