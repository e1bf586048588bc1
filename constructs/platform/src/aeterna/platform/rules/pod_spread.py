"""Pods of one kind are spread, so that one machine or one zone does not take all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.sizes import Size
from aeterna.platform.rules._pods import of_pods
from aeterna.platform.rules._replicas import is_replicated
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.subject import Mark

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Pod


def _wrong(pod: Pod) -> str | None:
    if not is_replicated(pod.subject):
        return None
    for path in ("topology_spread_constraint.topology_key", "affinity.pod_anti_affinity"):
        if pod.said.value(path) is not Mark.ABSENT:
            return None
    return "all of its pods may stand on one machine; set `topology_spread_constraint`"


RULE = Rule(
    id="pod-spread",
    title="Pods of one kind are spread over machines and zones",
    reason="They are several so that one may be lost; beside each other they are lost together.",
    controls=Controls(cis=("11.1",), nist=("CP-10", "SC-36"), soc2=("A1.2",)),
    check=of_pods(_wrong),
    applies_from=Size.STANDARD,
)
