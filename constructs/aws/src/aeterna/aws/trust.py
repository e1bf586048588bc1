"""Who may take a role: trust statements that name one source, so that no deputy can be confused into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.aws.policy_document import Condition, Principal, Statement

if TYPE_CHECKING:
    from aeterna.aws.account import Account

ASSUME = ("sts:AssumeRole",)


def from_service(service: str, *, account: Account, source: str, actions: tuple[str, ...] = ASSUME) -> Statement:
    """Trust a service of AWS when it acts for ``source``, an ARN or pattern of one, of this account."""
    return Statement(
        sid="Trust",
        actions=actions,
        principals=(Principal(kind="Service", identifiers=(service,)),),
        conditions=(
            Condition(test="StringEquals", variable="aws:SourceAccount", values=(account.id,)),
            Condition(test="ArnLike", variable="aws:SourceArn", values=(source,)),
        ),
    )


def from_instances() -> Statement:
    """Trust the machines that carry the role's instance profile; EC2 sends no source to test."""
    return Statement(
        sid="Trust", actions=ASSUME, principals=(Principal(kind="Service", identifiers=("ec2.amazonaws.com",)),)
    )


def from_people(principals: tuple[str, ...]) -> Statement:
    """Trust people of the account, or the ones named, who have proved a second factor."""
    return Statement(
        sid="Trust",
        actions=ASSUME,
        principals=(Principal(kind="AWS", identifiers=principals),),
        conditions=(Condition(test="Bool", variable="aws:MultiFactorAuthPresent", values=("true",)),),
    )
