"""No permission is for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.granted import granted
from aeterna.synth.rules.rule import Controls, Rule

if TYPE_CHECKING:
    from aeterna.synth.rules.grants import Grant


def _everyone(grant: Grant) -> str | None:
    if grant.everyone:
        return f"{grant.where} allows {grant.actions} to everybody; name who is meant, or add a condition that does"
    return None


RULE = Rule(
    id="grant-everyone",
    title="Nothing is allowed to everybody",
    reason="Everybody is not everybody in the company: it is anybody with an account, or without one.",
    controls=Controls(cis=("3.3", "6.8"), nist=("AC-3", "AC-6", "AC-14"), soc2=("CC6.1", "CC6.3")),
    check=granted(_everyone),
)
