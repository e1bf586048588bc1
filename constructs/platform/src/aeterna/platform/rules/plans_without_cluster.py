"""A plan can be made before there is a cluster: custom resources come in charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.rule import Breach, Controls, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory


def _asking(inventory: Inventory) -> Iterator[Breach]:
    for subject in inventory.of("kubernetes_manifest"):
        sentence = "a plan asks the cluster for its form; put it into a chart and release that"
        yield Breach(subject=subject, sentence=sentence)


RULE = Rule(
    id="plans-without-cluster",
    title="A plan can be made before there is a cluster",
    reason="The first plan of a new environment, and of one that is restored, otherwise fails.",
    controls=Controls(cis=("11.1",), nist=("CM-2", "CP-10"), soc2=("A1.2", "CC8.1")),
    check=_asking,
)
