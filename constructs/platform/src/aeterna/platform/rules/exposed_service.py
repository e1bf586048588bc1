"""No service goes around the gateway to the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import as_list, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory

OUTSIDE: Final = frozenset({"LoadBalancer", "NodePort"})


def _exposed(inventory: Inventory) -> Iterator[Breach]:
    for version in ("", "_v1"):
        for service in inventory.of(f"kubernetes_service{version}"):
            kind = service.value("spec.type")
            if kind in OUTSIDE and not is_expression(kind):
                yield Breach(subject=service, sentence=f"it is a {kind}; make it a ClusterIP, and route to it")
            if as_list(service.value("spec.external_ips")):
                yield Breach(subject=service, sentence="it takes addresses from outside; remove `external_ips`")


RULE = Rule(
    id="exposed-service",
    title="No service goes around the gateway to the outside",
    reason="TLS, the name and the routes are the gateway's; a port on every machine has none of them.",
    controls=Controls(cis=("4.4", "12.2"), nist=("AC-4", "SC-7"), soc2=("CC6.6",)),
    check=_exposed,
)
