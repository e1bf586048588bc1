"""What an identity may change is named: a star is only for looking, and for what has a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.aws.rules._policies import statements_of
from aeterna.synth.rules.rule import Breach, Controls, Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.aws.rules._policies import Statement
    from aeterna.synth.rules.inventory import Inventory

LOOKING: Final = ("BatchGet", "Describe", "Get", "List", "Query", "Scan", "Search")
"""How the actions begin that change nothing; for many of them AWS knows no narrower resource."""
WITHOUT_RESOURCE: Final = frozenset({"cloudwatch:PutMetricData", "logs:CreateLogDelivery", "xray:PutTraceSegments"})


def _wide(inventory: Inventory) -> Iterator[Breach]:
    for subject in inventory.subjects:
        if subject.provider == "aws":
            for statement in statements_of(subject):
                changing = _changing(statement)
                if changing:
                    sentence = f"`{statement.where}` allows {', '.join(changing)} on everything; name the resources"
                    yield Breach(subject=subject, sentence=sentence)


def _changing(statement: Statement) -> list[str]:
    if not statement.allows or statement.principals or statement.conditions or "*" not in statement.resources:
        return []
    return [
        action
        for action in statement.actions
        if action not in WITHOUT_RESOURCE and not action.partition(":")[2].startswith(LOOKING)
    ]


RULE = Rule(
    id="aws-star-resource",
    title="What an identity may change is named",
    reason="A right to change every resource of a kind reaches those of every other team, and those made tomorrow.",
    controls=Controls(cis=("3.3", "6.8"), nist=("AC-3", "AC-6"), soc2=("CC6.3",)),
    check=_wide,
    severity=Severity.WARNING,
)
