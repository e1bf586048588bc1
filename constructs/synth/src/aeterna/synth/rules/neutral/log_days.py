"""Logs are kept for a month or longer, and not for ever."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="log-days",
    title="Logs are kept for a month or longer",
    reason="An intrusion is found weeks later; logs kept for ever hold what has to be forgotten.",
    controls=Controls(cis=("8.10", "3.4"), nist=("AU-11", "SI-12"), soc2=("CC7.2",)),
    topics=(Topic.LOG_DAYS,),
)
