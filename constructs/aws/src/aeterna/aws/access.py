"""Who administers a cluster: access entries for the deployer, the named administrators and the emergency role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.l1.data_iam_session_context import DataAwsIamSessionContext
from aeterna.aws.l1.eks_access_entry import AwsEksAccessEntry
from aeterna.aws.l1.eks_access_policy_association import AwsEksAccessPolicyAssociation
from aeterna.aws.policy_document import Statement
from aeterna.aws.roles import Role
from aeterna.aws.trust import from_people
from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.aws.account import Account
    from aeterna.aws.l1.eks_cluster import AwsEksCluster
    from aeterna.contracts.cluster import ClusterSpec

ADMINISTRATOR = "AmazonEKSClusterAdminPolicy"
FOLLOWS_THE_SPEC = Lifecycle()
PRINCIPAL = re.compile(r"arn:aws:iam::\d{12}:(?:role|user)/\S+|.*\$\{.*")
"""What an access entry takes, or what is known only at apply."""


@names_itself
class ClusterAccess(Construct):
    """The only ways into a cluster; EKS adds none by itself, because the creator's bootstrap rights are off.

    `associations` are what anything that talks to the cluster's API has to wait for.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: ClusterSpec, *, plane: AwsEksCluster, account: Account
    ) -> None:
        super().__init__(scope, id_)
        self._plane = plane
        self._policy = account.eks_policy(ADMINISTRATOR)
        self.associations: list[AwsEksAccessPolicyAssociation] = []
        if spec.deployer is None:
            # Whoever applies next is somebody else: following them would take the first one's rights away.
            kept = Lifecycle(ignore_changes=["principal_arn"])
            self._administrator("Deployer", self._whoever_applies(account), lifecycle=kept)
        else:
            self._administrator("Deployer", _principal("deployer", spec.deployer))
        for number, principal in enumerate(spec.administrators, start=1):
            self._administrator(f"Administrator{number}", _principal("administrators", principal))
        self.break_glass = Role(
            self,
            "BreakGlassRole",
            named=("ClusterSpec", "name", spec.name),
            suffix="break-glass",
            trust=from_people(spec.break_glass or (account.root,)),
        )
        self.break_glass.allow(
            "Describe", Statement(sid="FindCluster", actions=("eks:DescribeCluster",), resources=(plane.arn,))
        )
        self._administrator("BreakGlass", self.break_glass.arn)

    def _whoever_applies(self, account: Account) -> str:
        """Return the role behind the caller's session: an access entry cannot name a session."""
        return DataAwsIamSessionContext(self, "Session", arn=account.caller.arn).issuer_arn

    def _administrator(self, id_: str, principal: str, *, lifecycle: Lifecycle = FOLLOWS_THE_SPEC) -> None:
        entry = AwsEksAccessEntry(
            self,
            id_,
            cluster_name=self._plane.name,
            principal_arn=principal,
            type="STANDARD",
            lifecycle=lifecycle,
        )
        self.associations.append(
            AwsEksAccessPolicyAssociation(
                self,
                f"{id_}Policy",
                cluster_name=self._plane.name,
                principal_arn=entry.principal_arn,
                policy_arn=self._policy,
                access_scope={"type": "cluster"},
            )
        )


def _principal(field: str, given: str) -> str:
    """Return who is to administer, or refuse what EKS would: it takes a role or a user, and no session or account."""
    if not PRINCIPAL.fullmatch(given):
        problem = f"{given!r} is not the ARN of a role or a user"
        raise InvalidSpecError("ClusterSpec", field, problem, 'write it as "arn:aws:iam::111122223333:role/platform"')
    return given
