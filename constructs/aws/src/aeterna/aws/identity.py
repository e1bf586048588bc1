"""A workload's identity on AWS: a role that the pods of exactly one service account can take, without any key."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.l1.eks_pod_identity_association import AwsEksPodIdentityAssociation
from aeterna.aws.roles import Role
from aeterna.aws.trust import from_issuer, from_pods
from aeterna.contracts.identity import IdentityOutputs
from aeterna.contracts.late import Late
from aeterna.synth.expressions import Fn
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.aws.cluster import EksCluster
    from aeterna.aws.policy_document import Statement
    from aeterna.contracts.identity import IdentitySpec
    from aeterna.synth._cdk import ITerraformDependable

ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"


class Mechanism(StrEnum):
    """How a pod proves to AWS which service account it runs as."""

    POD_IDENTITY = "pod-identity"
    """An agent on the node vouches for it. Nothing in the cluster refers to the role. The default."""

    SIGNED_BY_CLUSTER = "signed-by-cluster"
    """The pod shows a token that the cluster signed (IRSA). For Fargate and Windows pods, where there is no agent."""


@names_itself
class AwsIdentity(Construct):
    """A role for one service account of one cluster.

    Pods get it only if it exists when they start: whatever deploys them has to wait for `ready`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: IdentitySpec,
        *,
        cluster: EksCluster,
        mechanism: Mechanism = Mechanism.POD_IDENTITY,
    ) -> None:
        super().__init__(scope, id_)
        by_token = mechanism is Mechanism.SIGNED_BY_CLUSTER
        self._role = Role(
            self,
            "Role",
            named=("IdentitySpec", "name", f"{cluster.name}-{spec.name}"),
            suffix="pod",
            trust=_token_trust(spec, cluster) if by_token else _agent_trust(spec, cluster),
        )
        self._bindings: list[ITerraformDependable] = []
        if not by_token:
            self._bindings.append(
                AwsEksPodIdentityAssociation(
                    self,
                    "Resource",
                    cluster_name=cluster.outputs.name,
                    namespace=spec.namespace,
                    service_account=spec.service_account,
                    role_arn=self._role.arn,
                    tags={"Name": spec.name},
                )
            )
        self._annotated = by_token
        self._logins: dict[str, Late] = {}

    @property
    def outputs(self) -> IdentityOutputs:
        """Return the role, the annotation that a token needs, and the logins at the stores so far."""
        principal = Late(self._role.arn)
        annotations = {ROLE_ANNOTATION: principal} if self._annotated else {}
        return IdentityOutputs(principal=principal, annotations=annotations, logins=dict(self._logins))

    @property
    def role_arn(self) -> str:
        """Return the ARN of the role."""
        return self._role.arn

    @property
    def ready(self) -> tuple[ITerraformDependable, ...]:
        """Return what a pod of the service account has to wait for: the binding and every permission so far."""
        return (*self._bindings, *self._role.policies)

    def allow(self, id_: str, *statements: Statement) -> None:
        """Let the workload do what the statements say, such as those that a store's ``access`` returns.

        ``id_`` names the permission apart from the others and is part of its address.
        """
        self._role.allow(id_, *statements)

    def logs_in(self, store: str, login: Late) -> None:
        """Say as whom the workload logs in at a store, by the store's name in its spec."""
        self._logins[store] = login


def _agent_trust(spec: IdentitySpec, cluster: EksCluster) -> Statement:
    return from_pods(
        account=cluster.account,
        cluster_arn=cluster.arn,
        namespace=spec.namespace,
        service_account=spec.service_account,
    )


def _token_trust(spec: IdentitySpec, cluster: EksCluster) -> Statement:
    return from_issuer(
        provider_arn=cluster.oidc_provider_arn,
        issuer=Fn.replace(cluster.outputs.issuer, "https://", ""),
        namespace=spec.namespace,
        service_account=spec.service_account,
    )
