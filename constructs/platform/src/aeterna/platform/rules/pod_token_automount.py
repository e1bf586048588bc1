"""No pod is given a token of the cluster that it does not ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.platform.rules._pods import is_not, known, of_pods
from aeterna.synth.rules.rule import Controls, Rule

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Pod


def _wrong(pod: Pod) -> str | None:
    if is_not(known(pod.said, "automount_service_account_token"), wanted=False):
        return "its pods are given a token of the cluster; set `automount_service_account_token` to false"
    return None


RULE = Rule(
    id="pod-token-automount",
    title="No pod is given a token of the cluster that it does not ask for",
    reason="Whoever breaks into the pod asks the API server with it; a projected token with an audience does not.",
    controls=Controls(cis=("5.4", "6.8"), nist=("AC-6", "IA-5(7)"), soc2=("CC6.1", "CC6.3")),
    check=of_pods(_wrong),
)
