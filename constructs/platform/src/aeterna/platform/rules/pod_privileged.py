"""No container is privileged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.platform.rules._pods import known, of_containers
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.subject import as_flag

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Container, Pod


def _wrong(_pod: Pod, container: Container) -> str | None:
    if as_flag(known(container.said, "security_context.privileged")) is True:
        return "is privileged; remove `privileged`"
    return None


RULE = Rule(
    id="pod-privileged",
    title="No container is privileged",
    reason="It is root on the machine, and so in every other pod of it.",
    controls=Controls(cis=("4.1", "5.4"), nist=("AC-6", "CM-7"), soc2=("CC6.1", "CC6.3")),
    check=of_containers(_wrong),
)
