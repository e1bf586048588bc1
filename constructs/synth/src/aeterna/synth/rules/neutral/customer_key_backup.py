"""Backups are encrypted under a key of the customer's, as what they are copies of."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="customer-key-backup",
    title="Backups are encrypted under a key of yours",
    reason="A backup holds everything that its store held, and lives longer.",
    controls=Controls(cis=("11.3", "3.11"), nist=("CP-9(8)", "SC-28(1)"), soc2=("CC6.1", "A1.2")),
    topics=(Topic.BACKUP_KEY,),
)
