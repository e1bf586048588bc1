"""Checks every permission that resources grant, as their clouds read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.rule import Breach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aeterna.synth.rules.grants import Grant
    from aeterna.synth.rules.inventory import Inventory
    from aeterna.synth.rules.rule import Check


def granted(problem: Callable[[Grant], str | None]) -> Check:
    """Return a check that asks of each grant what is wrong with it, None for nothing."""

    def check(inventory: Inventory) -> Iterator[Breach]:
        for subject in inventory.subjects:
            facts = inventory.facts_of(subject)
            for grant in facts.grants(subject) if facts else ():
                sentence = problem(grant)
                if sentence is not None:
                    yield Breach(subject=subject, sentence=sentence)

    return check
