"""A service that is let in says for whom it comes: else any customer of it comes in through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.aws.rules._policies import PODS, TRUST, statements_of
from aeterna.synth.rules.rule import Breach, Controls, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.aws.rules._policies import Statement
    from aeterna.synth.rules.inventory import Inventory

SOURCES: Final = frozenset(
    {
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourcevpce",
        "kms:calleraccount",
        "kms:encryptioncontext:aws:logs:arn",
        "kms:viaservice",
        "s3:dataaccesspointaccount",
        "sts:externalid",
    }
)
WITHOUT_SOURCE: Final = ("backup.", "ec2.", "ecs-tasks.", "edgelambda.", "eks-fargate-pods.", "lambda.", "s3.")
"""Services that send no source when they assume a role. They take one only from its own account (``iam:PassRole``)."""


def _unbound(inventory: Inventory) -> Iterator[Breach]:
    for subject in inventory.subjects:
        if subject.provider != "aws":
            continue
        for statement in statements_of(subject):
            services = _services(statement)
            if services and SOURCES.isdisjoint(name.lower() for _, name, _ in statement.conditions):
                sentence = f"`{statement.where}` lets {', '.join(services)} in for anybody; test aws:SourceAccount"
                yield Breach(subject=subject, sentence=sentence)


def _services(statement: Statement) -> list[str]:
    named = statement.principals.get("Service", ()) if statement.allows else ()
    unsaid = (PODS, *WITHOUT_SOURCE) if statement.where == TRUST else ()
    return [name for name in named if not name.startswith(unsaid)]


RULE = Rule(
    id="aws-confused-deputy",
    title="A service is let in only for this account",
    reason="The service acts for every customer of it; without the test another one's resource is let in as well.",
    controls=Controls(cis=("6.8", "3.3"), nist=("AC-3", "AC-4", "AC-6"), soc2=("CC6.1", "CC6.3")),
    check=_unbound,
)
