"""No process gets more rights than the one that started it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.platform.rules._pods import is_not, known, of_containers
from aeterna.synth.rules.rule import Controls, Rule

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Container, Pod


def _wrong(_pod: Pod, container: Container) -> str | None:
    if is_not(known(container.said, "security_context.allow_privilege_escalation"), wanted=False):
        return "may gain rights; set `allow_privilege_escalation` to false"
    return None


RULE = Rule(
    id="pod-privilege-escalation",
    title="No process gets more rights than the one that started it",
    reason="A program that is root by its file mode makes root of whoever starts it.",
    controls=Controls(cis=("4.1", "5.4"), nist=("AC-6", "AC-6(10)"), soc2=("CC6.1", "CC6.3")),
    check=of_containers(_wrong),
)
