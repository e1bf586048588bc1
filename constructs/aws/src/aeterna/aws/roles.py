"""A role of IAM and what it may do, under a name that leaves room for the suffix that keeps it unique."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.l1.iam_role import AwsIamRole
from aeterna.aws.l1.iam_role_policy import AwsIamRolePolicy
from aeterna.aws.l1.iam_role_policy_attachment import AwsIamRolePolicyAttachment
from aeterna.aws.policy_document import document
from aeterna.contracts.naming import suffixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.aws.policy_document import Statement

LONGEST_ROLE_PREFIX = 38
"""IAM appends 26 characters to a prefix, and a role's name ends at 64."""


class Role(Construct):
    """A role with one trust statement.

    ``named`` is the spec's class, the field and the name that leads the role's, so that one that is too long is
    refused in the words of the spec; ``suffix`` says what the role is for.
    """

    def __init__(
        self, scope: Construct, id_: str, *, named: tuple[str, str, str], suffix: str, trust: Statement
    ) -> None:
        super().__init__(scope, id_)
        spec, field, name = named
        self.role = AwsIamRole(
            self,
            "Resource",
            name_prefix=suffixed(spec, field, name, f"{suffix}-", longest=LONGEST_ROLE_PREFIX),
            description=f"{name}: {suffix}",
            assume_role_policy=document([trust]),
            force_detach_policies=True,
            tags={"Name": f"{name}-{suffix}"},
        )
        self.policies: list[AwsIamRolePolicy | AwsIamRolePolicyAttachment] = []

    @property
    def arn(self) -> str:
        """Return the role's ARN."""
        return self.role.arn

    def allow(self, id_: str, *statements: Statement) -> None:
        """Let the role do what the statements say; ``id_`` names them apart and is part of the address."""
        policy = AwsIamRolePolicy(self, id_, role=self.role.id, name=id_, policy=document(statements))
        self.policies.append(policy)

    def attach(self, managed: Mapping[str, str]) -> None:
        """Attach managed policies, given as ARNs by the id that is part of the address."""
        for id_, arn in managed.items():
            attached = AwsIamRolePolicyAttachment(self, id_, role=self.role.name, policy_arn=arn)
            self.policies.append(attached)
