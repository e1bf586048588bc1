"""The secrets that a cluster keeps are encrypted under a key of the customer's."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="customer-key-cluster",
    title="A cluster's secrets are encrypted under a key of yours",
    reason="Whoever reads a copy of the cluster's own store would read every secret in it.",
    controls=Controls(cis=("3.11",), nist=("SC-12", "SC-28(1)"), soc2=("CC6.1",)),
    topics=(Topic.CLUSTER_KEY,),
)
