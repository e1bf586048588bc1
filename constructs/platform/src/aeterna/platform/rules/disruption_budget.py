"""What is replicated keeps enough pods while machines are emptied one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.sizes import Size
from aeterna.platform.rules._pods import pods
from aeterna.platform.rules._replicas import is_replicated
from aeterna.platform.rules._selection import is_everything, selector_of, takes
from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import Mark, as_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory


def _without_budget(inventory: Inventory) -> Iterator[Breach]:
    selectors = [
        selector_of(budget, "spec.selector")
        for version in ("", "_v1")
        for budget in inventory.of(f"kubernetes_pod_disruption_budget{version}")
    ]
    for pod in pods(inventory):
        if not is_replicated(pod.subject) or pod.labels is Mark.UNKNOWN:
            continue
        labels = as_mapping(pod.labels)
        if not any(takes(selector, labels) for selector in selectors if not is_everything(selector)):
            sentence = "all of its pods may be taken away at once; add a `kubernetes_pod_disruption_budget_v1`"
            yield Breach(subject=pod.subject, sentence=sentence)


RULE = Rule(
    id="disruption-budget",
    title="What is replicated keeps enough pods while machines are emptied",
    reason="An upgrade of the cluster empties machines as fast as it is let.",
    controls=Controls(cis=("11.1",), nist=("CP-10", "SI-13"), soc2=("A1.2",)),
    check=_without_budget,
    applies_from=Size.STANDARD,
)
