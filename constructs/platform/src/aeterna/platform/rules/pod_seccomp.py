"""Every container keeps to the usual calls of the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.platform.rules._pods import effective, of_containers
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.subject import Mark

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Container, Pod


RIGHT: Final = frozenset({"RuntimeDefault", "Localhost"})


def _wrong(pod: Pod, container: Container) -> str | None:
    profile = effective(pod, container, "seccomp_profile.type")
    if profile is Mark.UNKNOWN or profile in RIGHT:
        return None
    return "may make any call of the kernel; set `seccomp_profile.type` to RuntimeDefault"


RULE = Rule(
    id="pod-seccomp",
    title="Every container keeps to the usual calls of the kernel",
    reason="Most flaws of the kernel are in calls that no service makes.",
    controls=Controls(cis=("4.1", "4.8"), nist=("CM-7", "SC-39"), soc2=("CC6.8",)),
    check=of_containers(_wrong),
)
