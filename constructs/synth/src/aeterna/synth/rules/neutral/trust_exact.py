"""An identity believes the tokens of exactly one subject, and only those meant for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.rule import Breach, Controls, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.grants import Trust
    from aeterna.synth.rules.inventory import Inventory


def _inexact(inventory: Inventory) -> Iterator[Breach]:
    for subject in inventory.subjects:
        facts = inventory.facts_of(subject)
        for trust in facts.trusts(subject) if facts else ():
            for problem in _problems(trust):
                yield Breach(subject=subject, sentence=f"{trust.where} {problem}")


def _problems(trust: Trust) -> Iterator[str]:
    if trust.subject is None:
        yield "believes every token of the issuer; test the subject for equality"
    elif not trust.exact:
        yield f"believes more than one subject ({trust.subject}); test one subject for equality"
    if not trust.audience:
        yield "believes tokens that are meant for others; test the audience"


RULE = Rule(
    id="trust-exact",
    title="A trusted token has exactly one subject and the right audience",
    reason="With a wildcard, or without a subject, any pod or any repository of that issuer takes the identity.",
    controls=Controls(cis=("6.8", "6.7"), nist=("AC-3", "AC-6", "IA-9"), soc2=("CC6.1", "CC6.3")),
    check=_inexact,
)
