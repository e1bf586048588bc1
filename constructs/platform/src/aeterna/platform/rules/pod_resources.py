"""Every container says what it needs, and how much memory it may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.platform.rules._pods import known, of_containers
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.subject import Mark

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Container, Pod


WANTED: Final = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))


def _wrong(_pod: Pod, container: Container) -> str | None:
    missing = [
        f"`resources.{kind}.{what}`"
        for kind, what in WANTED
        if known(container.said, f"resources.{kind}.{what}") in (Mark.ABSENT, "", None)
    ]
    return f"does not say what it needs; set {', '.join(missing)}" if missing else None


RULE = Rule(
    id="pod-resources",
    title="Every container says what it needs, and how much memory it may take",
    reason="One that takes all there is stops its neighbours, and one that asks for nothing is stopped first.",
    controls=Controls(cis=("4.1", "12.2"), nist=("SC-5", "SC-6"), soc2=("A1.1",)),
    check=of_containers(_wrong),
)
