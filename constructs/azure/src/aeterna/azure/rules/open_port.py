"""No rule of a network security group lets the whole internet in, written inside the group or beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import as_list, as_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.synth.rules.inventory import Inventory
    from aeterna.synth.rules.subject import Json

EVERYWHERE: Final = frozenset({"*", "0.0.0.0/0", "::/0", "Any", "Internet", "any", "internet"})
SOURCES: Final = ("source_address_prefix", "source_address_prefixes")


def _open(inventory: Inventory) -> Iterator[Breach]:
    for rule in inventory.of("azurerm_network_security_rule"):
        for problem in _problems(rule.arguments):
            yield Breach(subject=rule, sentence=problem)
    for group in inventory.of("azurerm_network_security_group"):
        for inline in as_list(group.arguments.get("security_rule")):
            for problem in _problems(as_mapping(inline)):
                yield Breach(subject=group, sentence=f"`security_rule` {as_mapping(inline).get('name')}: {problem}")


def _problems(rule: Mapping[str, Json]) -> Iterator[str]:
    if rule.get("direction") != "Inbound" or rule.get("access") != "Allow":
        return
    for argument in SOURCES:
        named = sorted({str(source) for source in as_list(rule.get(argument))} & EVERYWHERE)
        if named:
            yield f"`{argument}` lets everybody in ({', '.join(named)}); name the clients"


RULE = Rule(
    id="azure-open-port",
    title="No port is open to the internet",
    reason="Whatever listens there is found by scanners within minutes.",
    controls=Controls(cis=("4.4", "13.4"), nist=("AC-4", "SC-7", "SC-7(5)"), soc2=("CC6.6",)),
    check=_open,
)
