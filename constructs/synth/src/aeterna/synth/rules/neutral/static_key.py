"""No lasting key is made: identities sign in with tokens that end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.rule import Breach, Controls, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory


def _made(inventory: Inventory) -> Iterator[Breach]:
    for terraform_type, subjects in inventory.by_type.items():
        facts = inventory.facts_of(subjects[0])
        instead = facts.static_keys.get(terraform_type) if facts else None
        if instead is not None:
            for subject in subjects:
                yield Breach(subject=subject, sentence=f"{terraform_type} is a lasting key; use {instead}")


RULE = Rule(
    id="static-key",
    title="No lasting key is made",
    reason="It lies in the state from the day it is made, works from anywhere, and ends only if somebody ends it.",
    controls=Controls(cis=("5.2", "6.7"), nist=("IA-5", "IA-5(7)", "AC-2"), soc2=("CC6.1", "CC6.2")),
    check=_made,
)
