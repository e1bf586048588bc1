"""A workload's identity on Google Cloud: an account that the pods of one service account act as, without any key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from constructs import Construct

from aeterna.contracts.identity import IdentityOutputs
from aeterna.contracts.late import Late
from aeterna.contracts.naming import suffixed
from aeterna.gcp.l1.service_account import GoogleServiceAccount
from aeterna.gcp.l1.service_account_iam_member import GoogleServiceAccountIamMember
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.identity import IdentitySpec
    from aeterna.gcp.cluster import GkeCluster
    from aeterna.gcp.database_administrator import DatabaseAdministrator
    from aeterna.synth._cdk import ITerraformDependable

ACCOUNT_ANNOTATION = "iam.gke.io/gcp-service-account"
ACT_AS = "roles/iam.workloadIdentityUser"
LONGEST_ACCOUNT = 30
"""Of a Google service account's id (IAM documentation, "Create service accounts")."""


class Grantable(Protocol):
    """A store that an identity can be given the use of, in the identity's own scope."""

    def grant_to(self, scope: Construct, id_: str, *, email: Late) -> Sequence[ITerraformDependable]:
        """Let the account use the store, and return what has to be there before it can."""
        ...


@runtime_checkable
class KeepsLogins(Protocol):
    """A store with logins of its own, below those of the cloud."""

    @property
    def name(self) -> str:
        """Its name in the spec."""
        ...

    def login(self, email: Late) -> Late:
        """Return the user as which the account logs in."""
        ...


@names_itself
class GcpIdentity(Construct):
    """A Google service account for one service account of one cluster.

    The cluster's pool of identities exists only once the cluster does, so that the binding waits for it. Pods get the
    identity only if their service account carries the annotation, and only once `ready` is there.
    """

    def __init__(self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: GkeCluster) -> None:
        super().__init__(scope, id_)
        account = GoogleServiceAccount(
            self,
            "Resource",
            account_id=suffixed("IdentitySpec", "name", cluster.name, spec.name, longest=LONGEST_ACCOUNT),
            display_name=f"{spec.namespace}/{spec.service_account} of {cluster.name}",
            depends_on=[cluster.place.service("iam")],
        )
        binding = GoogleServiceAccountIamMember(
            self,
            "Binding",
            service_account_id=account.name,
            role=ACT_AS,
            member=f"serviceAccount:{cluster.workload_pool}[{spec.namespace}/{spec.service_account}]",
            depends_on=[*cluster.ready, cluster.place.service("iamcredentials")],
        )
        self.email = Late(account.email)
        self.member = Late(account.member)
        self._ready: list[ITerraformDependable] = [binding]
        self._logins: dict[str, Late] = {}

    @property
    def ready(self) -> tuple[ITerraformDependable, ...]:
        """Return what a pod of the service account has to wait for: the binding and every grant so far."""
        return tuple(self._ready)

    @property
    def outputs(self) -> IdentityOutputs:
        """Return the account, the annotation that its service account needs, and its logins so far."""
        return IdentityOutputs(
            principal=self.email, annotations={ACCOUNT_ANNOTATION: self.email}, logins=dict(self._logins)
        )

    def use(self, id_: str, store: Grantable) -> None:
        """Let the workload use a store. ``id_`` names the grant apart from others and is part of its address."""
        self._ready.extend(store.grant_to(self, id_, email=self.email))
        if isinstance(store, KeepsLogins):
            self._logins[store.name] = store.login(self.email)

    def act_as(self, id_: str, administrator: DatabaseAdministrator, *, of: str) -> None:
        """Let the workload act as the administrator of the database of this name, for an hour at a time."""
        self._ready.append(administrator.grant(self, id_, self.member))
        self._logins[of] = administrator.login
