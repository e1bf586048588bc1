"""No container may run as root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.platform.rules._pods import effective, is_not, of_containers
from aeterna.synth.rules.rule import Controls, Rule

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Container, Pod


def _wrong(pod: Pod, container: Container) -> str | None:
    if is_not(effective(pod, container, "run_as_non_root"), wanted=True):
        return "may run as root; set `run_as_non_root` to true"
    return "runs as root; set `run_as_user`" if str(effective(pod, container, "run_as_user")) == "0" else None


RULE = Rule(
    id="pod-run-as-non-root",
    title="No container may run as root",
    reason="Most ways out of a container begin as root in it.",
    controls=Controls(cis=("4.1", "5.4"), nist=("AC-6", "CM-7"), soc2=("CC6.1", "CC6.3")),
    check=of_containers(_wrong),
)
