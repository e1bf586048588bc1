"""What a store derives from its data (statistics, managed secrets) is under a key of the customer's."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="customer-key-copy",
    title="What a store derives from its data is encrypted under a key of yours",
    reason="Statistics of queries hold the values that were asked for, and a managed secret opens the store.",
    controls=Controls(cis=("3.11",), nist=("SC-12", "SC-28(1)"), soc2=("CC6.1", "C1.1")),
    topics=(Topic.COPY_KEY,),
)
