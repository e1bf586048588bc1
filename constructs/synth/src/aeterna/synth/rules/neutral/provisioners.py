"""No resource runs a command on the machine that applies, or on what it made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.rule import Breach, Controls, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory


def _run(inventory: Inventory) -> Iterator[Breach]:
    for subject in inventory.subjects:
        if subject.arguments.get("provisioner"):
            sentence = "`provisioner` runs a command during an apply; use a resource, or a job of the cluster"
            yield Breach(subject=subject, sentence=sentence)


RULE = Rule(
    id="provisioners",
    title="No command runs while a stack is applied",
    reason="No plan shows what it will do, it runs once only, and it has every permission of whoever applies.",
    controls=Controls(cis=("2.7", "16.1"), nist=("CM-5", "CM-7"), soc2=("CC8.1",)),
    check=_run,
)
