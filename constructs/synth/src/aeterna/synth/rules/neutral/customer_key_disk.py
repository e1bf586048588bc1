"""Disks of machines are encrypted under a key of the customer's: pods write to them too."""

from __future__ import annotations

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Controls, Rule

RULE = Rule(
    id="customer-key-disk",
    title="Every machine's disks are encrypted under a key of yours",
    reason="Images, logs and what pods write to an empty directory lie on the disks of nodes.",
    controls=Controls(cis=("3.11",), nist=("SC-12", "SC-28(1)"), soc2=("CC6.1", "C1.1")),
    topics=(Topic.DISK_KEY,),
)
