"""No Secret of the cluster is made of values that the state would keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory

KEPT: Final = ("data", "binary_data")
TYPES: Final = ("kubernetes_secret", "kubernetes_secret_v1", "kubernetes_secret_v1_data")


def _kept(inventory: Inventory) -> Iterator[Breach]:
    for kind in TYPES:
        for secret in inventory.of(kind):
            for name in KEPT:
                if secret.value(name) not in (Mark.ABSENT, {}):
                    sentence = f"the state keeps its `{name}`; let External Secrets write it, or use `{name}_wo`"
                    yield Breach(subject=secret, sentence=sentence)


RULE = Rule(
    id="secret-in-state",
    title="No Secret of the cluster is made of values that the state keeps",
    reason="Whoever reads the state reads them, and every state before it.",
    controls=Controls(cis=("3.11", "16.1"), nist=("IA-5(7)", "SC-28"), soc2=("CC6.1",)),
    check=_kept,
)
