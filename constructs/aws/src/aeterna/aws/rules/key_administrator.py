"""A key's policy keeps an administrator: without one nobody can ever change it again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.aws.rules._policies import statements_of
from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import as_flag, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.aws.rules._policies import Statement
    from aeterna.synth.rules.inventory import Inventory
    from aeterna.synth.rules.subject import Subject

TYPES: Final = ("aws_kms_key", "aws_kms_replica_key", "aws_kms_key_policy")
REPAIRS: Final = frozenset({"*", "kms:*", "kms:Put*", "kms:PutKeyPolicy"})
ACCOUNT: Final = re.compile(r"\d{12}|arn:.*:iam::.*:root")


def _orphaned(inventory: Inventory) -> Iterator[Breach]:
    for terraform_type in TYPES:
        for subject in inventory.of(terraform_type):
            yield from _problems(subject)


def _problems(subject: Subject) -> Iterator[Breach]:
    statements = statements_of(subject)
    policy = subject.arguments.get("policy")
    unread = not statements and (policy is None or is_expression(policy))
    if not unread and not any(_repairs(statement) for statement in statements):
        sentence = "`policy` keeps no administrator; let the account's root change it (kms:PutKeyPolicy)"
        yield Breach(subject=subject, sentence=sentence)
    if as_flag(subject.arguments.get("bypass_policy_lockout_safety_check")):
        sentence = "`bypass_policy_lockout_safety_check` is true; leave it out"
        yield Breach(subject=subject, sentence=sentence)


def _repairs(statement: Statement) -> bool:
    accounts = statement.principals.get("AWS", ())
    return (
        statement.allows
        and not statement.conditions
        and not REPAIRS.isdisjoint(statement.actions)
        and any(ACCOUNT.fullmatch(account) or is_expression(account) for account in accounts)
    )


RULE = Rule(
    id="aws-key-administrator",
    title="A key's policy keeps an administrator",
    reason="A policy that nobody may change is final: only a support case brings the key back, or nothing does.",
    controls=Controls(cis=("3.11", "5.4"), nist=("SC-12(1)", "AC-6"), soc2=("CC6.1", "A1.2")),
    check=_orphaned,
)
