"""Networks record who spoke to whom."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="flow-logs",
    title="Every network records its flows",
    reason="After an incident, nothing else tells which machine spoke to which.",
    controls=Controls(cis=("13.6", "8.2"), nist=("AU-2", "AU-12", "SI-4(4)"), soc2=("CC7.2",)),
    topics=(Topic.FLOW_LOGS,),
)
