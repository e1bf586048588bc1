"""No container writes to its own image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.platform.rules._pods import is_not, known, of_containers
from aeterna.synth.rules.rule import Controls, Rule

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Container, Pod


def _wrong(_pod: Pod, container: Container) -> str | None:
    if is_not(known(container.said, "security_context.read_only_root_filesystem"), wanted=True):
        return "can write to its image; set `read_only_root_filesystem` to true, and mount what it writes to"
    return None


RULE = Rule(
    id="pod-read-only-root",
    title="No container can write to its own image",
    reason="Whoever breaks in can otherwise leave programs there, beside those that were tested.",
    controls=Controls(cis=("2.7", "4.1"), nist=("CM-5", "CM-7", "SI-7"), soc2=("CC6.8",)),
    check=of_containers(_wrong),
)
