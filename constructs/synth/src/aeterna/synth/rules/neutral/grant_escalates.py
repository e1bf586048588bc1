"""No permission lets its holder give himself more, on everything that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.granted import granted
from aeterna.synth.rules.rule import Controls, Rule

if TYPE_CHECKING:
    from aeterna.synth.rules.grants import Grant


def _escalates(grant: Grant) -> str | None:
    if grant.escalates and grant.every_resource and not grant.administrator:
        return f"{grant.where} allows {grant.actions} on every identity; name the one that is meant"
    return None


RULE = Rule(
    id="grant-escalates",
    title="Nobody may give himself more than he was given",
    reason="Who may hand out any role, or act as any identity, has the permissions of all of them.",
    controls=Controls(cis=("5.4", "6.8"), nist=("AC-6(1)", "AC-6(7)", "AC-6(10)"), soc2=("CC6.3",)),
    check=granted(_escalates),
)
