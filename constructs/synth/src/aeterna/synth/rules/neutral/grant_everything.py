"""No permission is for everything: neither every action on every resource, nor a role that means it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.granted import granted
from aeterna.synth.rules.rule import Controls, Rule

if TYPE_CHECKING:
    from aeterna.synth.rules.grants import Grant


def _everything(grant: Grant) -> str | None:
    if grant.every_action and grant.every_resource and not grant.administrator:
        return f"{grant.where} allows {grant.actions} on everything; name the actions and the resources"
    return None


RULE = Rule(
    id="grant-everything",
    title="Nobody may do everything to everything",
    reason="Whoever takes over that one identity has taken over the account.",
    controls=Controls(cis=("5.4", "6.8"), nist=("AC-6", "AC-6(1)", "AC-6(5)"), soc2=("CC6.1", "CC6.3")),
    check=granted(_everything),
)
