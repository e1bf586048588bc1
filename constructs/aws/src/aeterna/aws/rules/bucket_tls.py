"""A bucket's policy denies what comes in the clear: S3 itself listens there, and has no switch for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.aws.rules._policies import statements_of
from aeterna.synth.rules.facts import Companion
from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.aws.rules._policies import Statement
    from aeterna.synth.rules.inventory import Inventory
    from aeterna.synth.rules.subject import Subject

POLICY: Final = Companion(type="aws_s3_bucket_policy", by="bucket")
SECURE: Final = "aws:SecureTransport"


def _open(inventory: Inventory) -> Iterator[Breach]:
    for bucket in inventory.of("aws_s3_bucket"):
        policies = inventory.beside(bucket, POLICY)
        if policies is not None and not any(_denies(policy) for policy in (bucket, *policies)):
            sentence = f"no policy denies s3:* where {SECURE} is false; add the statement"
            yield Breach(subject=bucket, sentence=sentence)


def _denies(policy: Subject) -> bool:
    """Say whether a policy refuses plain connections; one that is known only at apply may."""
    unread = is_expression(policy.arguments.get("policy")) and not statements_of(policy)
    return unread or any(_refuses(statement) for statement in statements_of(policy))


def _refuses(statement: Statement) -> bool:
    tested = any(how.startswith("Bool") and "false" in values for how, values in statement.tests(SECURE))
    every = not {"s3:*", "*"}.isdisjoint(statement.actions)
    return tested and every and statement.everyone and not statement.allows and len(statement.conditions) == 1


RULE = Rule(
    id="aws-bucket-tls",
    title="A bucket refuses connections in the clear",
    reason="S3 answers HTTP as readily as HTTPS; only the bucket's policy can refuse it (CIS AWS 3.0, 2.1.1).",
    controls=Controls(cis=("3.10",), nist=("SC-8", "SC-8(1)"), soc2=("CC6.7",)),
    check=_open,
)
