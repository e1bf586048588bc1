"""A cluster's API has no address on the internet."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="private-cluster",
    title="No cluster's API can be reached from the internet",
    reason="A flaw in the API server, or one leaked credential, is then open to everybody at once.",
    controls=Controls(cis=("12.2", "12.3"), nist=("AC-17", "SC-7"), soc2=("CC6.6",)),
    topics=(Topic.PRIVATE_CLUSTER,),
)
