"""Every container gives up every capability of the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.platform.rules._pods import known, of_containers
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.subject import Mark, as_list, is_expression

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Container, Pod


MAY_ADD: Final = frozenset({"NET_BIND_SERVICE"})
"""What Pod Security `restricted` lets a container have back."""


def _wrong(_pod: Pod, container: Container) -> str | None:
    dropped = known(container.said, "security_context.capabilities.drop")
    if dropped is not Mark.UNKNOWN and "ALL" not in as_list(dropped) and not any(map(is_expression, as_list(dropped))):
        return 'keeps capabilities; set `capabilities.drop` to ["ALL"]'
    added = as_list(known(container.said, "security_context.capabilities.add"))
    wrong = sorted({str(each) for each in added if not is_expression(each)} - MAY_ADD)
    return f"adds the capabilities {', '.join(wrong)}; remove them" if wrong else None


RULE = Rule(
    id="pod-capabilities",
    title="Every container gives up every capability of the kernel",
    reason="Each of them is a part of root, and some are as good as all of it.",
    controls=Controls(cis=("4.1", "4.8"), nist=("AC-6", "CM-7"), soc2=("CC6.1", "CC6.3")),
    check=of_containers(_wrong),
)
