"""No provider carries a credential: whoever applies brings an identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory


def _carried(inventory: Inventory) -> Iterator[Breach]:
    for name, configurations in inventory.providers.items():
        facts = inventory.facts.get(name)
        for configuration in configurations if facts else ():
            for argument in sorted(facts.credentials & configuration.keys()) if facts else ():
                address = f"provider.{name}"
                provider = Subject(address=address, path=inventory.stack, type="provider", arguments=configuration)
                sentence = f"{argument} of the provider is a credential; let whoever applies sign in with an identity"
                yield Breach(subject=provider, sentence=sentence)


RULE = Rule(
    id="provider-credentials",
    title="No provider carries a credential",
    reason="It would be in the document, and every plan would be made with the same lasting key.",
    controls=Controls(cis=("5.2", "6.7"), nist=("IA-5(7)", "AC-2"), soc2=("CC6.1",)),
    check=_carried,
)
