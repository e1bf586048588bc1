"""No lasting password or key opens a store, a registry or a cluster."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="static-login",
    title="No lasting secret opens anything",
    reason="A shared key names nobody, is copied into configurations, and works until somebody remembers to change it.",
    controls=Controls(cis=("5.2", "6.7"), nist=("IA-2", "IA-5", "IA-5(7)"), soc2=("CC6.1",)),
    topics=(Topic.STATIC_LOGIN,),
)
