"""No pod mounts a folder of its machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.platform.rules._pods import of_pods
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.subject import Mark

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Pod


def _wrong(pod: Pod) -> str | None:
    found = [
        each for each in pod.said.values("volume.host_path") if each is not Mark.ABSENT and each is not Mark.UNKNOWN
    ]
    return "its pods mount a folder of the machine; use a volume of their own" if found else None


RULE = Rule(
    id="pod-host-path",
    title="No pod mounts a folder of its machine",
    reason="Through it the pod reads what other pods and the machine itself keep, credentials included.",
    controls=Controls(cis=("3.3", "4.1"), nist=("AC-3", "AC-6", "SC-39"), soc2=("CC6.1",)),
    check=of_pods(_wrong),
)
