"""No pod is told of every service around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.platform.rules._pods import is_not, known, of_pods
from aeterna.synth.rules.rule import Controls, Rule

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Pod


def _wrong(pod: Pod) -> str | None:
    if is_not(known(pod.said, "enable_service_links"), wanted=False):
        return "its environment names every service of the namespace; set `enable_service_links` to false"
    return None


RULE = Rule(
    id="pod-service-links",
    title="No pod is told of every service around it",
    reason="A service called like a setting becomes that setting, and a map of the namespace is in every process.",
    controls=Controls(cis=("4.1", "4.8"), nist=("CM-6", "CM-7"), soc2=("CC6.8",)),
    check=of_pods(_wrong),
)
