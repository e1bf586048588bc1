"""No resource is left to change by itself: what is ignored is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.rule import Breach, Controls, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory


def _ignored(inventory: Inventory) -> Iterator[Breach]:
    for subject in inventory.subjects:
        if "all" in subject.values("lifecycle?.ignore_changes?"):
            sentence = "`lifecycle.ignore_changes` is all; name the arguments that something else may change"
            yield Breach(subject=subject, sentence=sentence)


RULE = Rule(
    id="ignored-changes",
    title="What may change by itself is named",
    reason="Where every change is ignored, no plan shows that somebody switched the protection off by hand.",
    controls=Controls(cis=("4.1", "4.2"), nist=("CM-2", "CM-3", "CM-6"), soc2=("CC7.1", "CC8.1")),
    check=_ignored,
)
