"""Every namespace refuses pods that are not hardened (Pod Security ``restricted``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import Mark, as_mapping, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory

ENFORCED: Final = "pod-security.kubernetes.io/enforce"


def _open(inventory: Inventory) -> Iterator[Breach]:
    for version in ("", "_v1"):
        for namespace in inventory.of(f"kubernetes_namespace{version}"):
            labels = namespace.value("metadata.labels")
            level = as_mapping(labels).get(ENFORCED)
            if labels is Mark.UNKNOWN or is_expression(labels) or is_expression(level) or level == "restricted":
                continue
            sentence = f'it takes any pod; set the label `{ENFORCED}` to "restricted"'
            yield Breach(subject=namespace, sentence=sentence)


RULE = Rule(
    id="namespace-pod-security",
    title="Every namespace refuses pods that are not hardened",
    reason="What is hardened here stands beside whatever somebody else deploys tomorrow.",
    controls=Controls(cis=("4.1", "5.4"), nist=("AC-6", "CM-6", "CM-7"), soc2=("CC6.1", "CC6.8")),
    check=_open,
)
