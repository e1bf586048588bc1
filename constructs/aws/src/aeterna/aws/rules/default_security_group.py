"""A network's default security group lets nothing through: whatever names no other group is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.facts import Companion
from aeterna.synth.rules.rule import Breach, Controls, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory

GROUP: Final = Companion(type="aws_default_security_group", by="vpc_id")


def _letting(inventory: Inventory) -> Iterator[Breach]:
    for network in inventory.of("aws_vpc"):
        groups = inventory.beside(network, GROUP)
        if groups == []:
            sentence = f"its default security group keeps AWS's rules; add an {GROUP.type} without any"
            yield Breach(subject=network, sentence=sentence)
        for group in groups or ():
            for direction in ("ingress", "egress"):
                if group.arguments.get(direction):
                    yield Breach(subject=group, sentence=f"`{direction}` lets something through; remove it")


RULE = Rule(
    id="aws-default-security-group",
    title="A network's default security group lets nothing through",
    reason="Whatever is made without naming a group is in that one, and reaches the rest of it (CIS AWS 3.0, 5.4).",
    controls=Controls(cis=("4.4", "4.7"), nist=("AC-4", "CM-7", "SC-7(5)"), soc2=("CC6.6",)),
    check=_letting,
)
