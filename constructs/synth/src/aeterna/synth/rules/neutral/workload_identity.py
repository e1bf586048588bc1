"""Pods have identities of their own."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="workload-identity",
    title="Pods have identities of their own",
    reason="Without them every pod of a node has the node's permissions, or a secret that it carries.",
    controls=Controls(cis=("6.8", "5.4"), nist=("AC-6", "IA-9"), soc2=("CC6.1", "CC6.3")),
    topics=(Topic.WORKLOAD_IDENTITY,),
)
