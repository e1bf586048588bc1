"""Stores are opened with the cloud's identities."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="identity-login",
    title="The cloud's identities open every store that can take them",
    reason="Without them a store is left with passwords, which somebody has to keep and to rotate.",
    controls=Controls(cis=("6.7", "5.6"), nist=("IA-2", "IA-9", "AC-2"), soc2=("CC6.1", "CC6.2")),
    topics=(Topic.IDENTITY_LOGIN,),
)
