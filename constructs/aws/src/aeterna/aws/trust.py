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


def from_service_alone(service: str) -> Statement:
    """Trust a service whose documented trust policy has nothing to test: testing what it does not send locks it out.

    Those are AWS Backup (Developer Guide, "IAM service roles") and S3's replication (User Guide, "Setting up
    permissions for live replication"). Only who may pass the role, in its own account, can have the service take it.
    """
    return Statement(sid="Trust", actions=ASSUME, principals=(Principal(kind="Service", identifiers=(service,)),))


def from_people(principals: tuple[str, ...]) -> Statement:
    """Trust people of the account, or the ones named, who have proved a second factor."""
    return Statement(
        sid="Trust",
        actions=ASSUME,
        principals=(Principal(kind="AWS", identifiers=principals),),
        conditions=(Condition(test="Bool", variable="aws:MultiFactorAuthPresent", values=("true",)),),
    )


def from_pods(*, account: Account, cluster_arn: str, namespace: str, service_account: str) -> Statement:
    """Trust the pods of one service account of one cluster, as EKS Pod Identity vouches for them.

    The session tags that Pod Identity sends name the cluster and the service account; testing them keeps an association
    that someone makes for another one from ever using the role (EKS User Guide, "Create IAM role with trust policy
    required by EKS Pod Identity").
    """
    return Statement(
        sid="Trust",
        actions=("sts:AssumeRole", "sts:TagSession"),
        principals=(Principal(kind="Service", identifiers=("pods.eks.amazonaws.com",)),),
        conditions=(
            Condition(test="StringEquals", variable="aws:SourceAccount", values=(account.id,)),
            Condition(test="StringEquals", variable="aws:RequestTag/eks-cluster-arn", values=(cluster_arn,)),
            Condition(test="StringEquals", variable="aws:RequestTag/kubernetes-namespace", values=(namespace,)),
            Condition(
                test="StringEquals", variable="aws:RequestTag/kubernetes-service-account", values=(service_account,)
            ),
        ),
    )


def from_issuer(*, provider_arn: str, issuer: str, namespace: str, service_account: str) -> Statement:
    """Trust the tokens of one service account, as the cluster's own issuer signs them (IRSA).

    ``issuer`` is its address without the scheme. Both the subject and the audience are tested for equality.
    """
    subject = f"system:serviceaccount:{namespace}:{service_account}"
    return Statement(
        sid="Trust",
        actions=("sts:AssumeRoleWithWebIdentity",),
        principals=(Principal(kind="Federated", identifiers=(provider_arn,)),),
        conditions=(
            Condition(test="StringEquals", variable=f"{issuer}:sub", values=(subject,)),
            Condition(test="StringEquals", variable=f"{issuer}:aud", values=("sts.amazonaws.com",)),
        ),
    )
