"""A workload's identity on Azure: a managed identity that exactly one service account can become, without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from constructs import Construct

from aeterna.azure.l1.federated_identity_credential import AzurermFederatedIdentityCredential
from aeterna.azure.l1.user_assigned_identity import AzurermUserAssignedIdentity
from aeterna.contracts.identity import IdentityOutputs
from aeterna.contracts.late import Late
from aeterna.contracts.naming import suffixed
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.azure.cluster import AksCluster
    from aeterna.contracts.identity import IdentitySpec
    from aeterna.synth._cdk import ITerraformDependable

AUDIENCE = "api://AzureADTokenExchange"
CLIENT_ANNOTATION = "azure.workload.identity/client-id"
USE_LABEL = "azure.workload.identity/use"
LONGEST_IDENTITY = 63
"""What PostgreSQL takes as the name of a role: an identity logs in to a database under its own name."""


class Grantable(Protocol):
    """A store that an identity can be let into."""

    def grant_to(self, scope: Construct, id_: str, *, principal_id: Late, name: Late) -> Sequence[ITerraformDependable]:
        """Make, in the scope of the identity, what lets it in; return what a pod has to wait for."""
        ...


@runtime_checkable
class HasLogin(Protocol):
    """A store that an identity logs in to under a name."""

    @property
    def name(self) -> str:
        """The store's name in its spec."""
        ...

    def login(self, *, principal_id: Late, name: Late) -> Late:
        """Return the name under which an identity logs in."""
        ...


@names_itself
class Federation(Construct):
    """The trust of one managed identity in one service account of one cluster.

    One identity has one of these: Azure refuses two that are written at the same time, and more than twenty.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: IdentitySpec,
        *,
        identity: AzurermUserAssignedIdentity,
        cluster: AksCluster,
        logins: Mapping[str, Late] | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self._identity, self._logins = identity, dict(logins or {})
        self.credential = AzurermFederatedIdentityCredential(
            self,
            "Resource",
            name=f"{cluster.name}-{spec.name}",
            user_assigned_identity_id=identity.id,
            issuer=cluster.outputs.issuer,
            subject=f"system:serviceaccount:{spec.namespace}:{spec.service_account}",
            audience=[AUDIENCE],
        )

    @property
    def outputs(self) -> IdentityOutputs:
        """What the service account and its pods must carry, and the logins that it was given."""
        return told(self._identity, self._logins)


@names_itself
class AzureIdentity(Construct):
    """A managed identity for one service account of one cluster.

    The service account carries the annotation of `outputs`, and its pods the label, without which the cluster's
    webhook gives them no token. Whatever deploys them has to wait for `ready`.
    """

    def __init__(self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: AksCluster) -> None:
        super().__init__(scope, id_)
        name = suffixed("ClusterSpec", "name", cluster.name, spec.name, longest=LONGEST_IDENTITY)
        self._identity = AzurermUserAssignedIdentity(
            self,
            "Resource",
            name=name,
            resource_group_name=cluster.place.group_name,
            location=cluster.place.location,
        )
        federation = Federation(self, "Federation", spec, identity=self._identity, cluster=cluster)
        self._ready: list[ITerraformDependable] = [federation.credential]
        self._logins: dict[str, Late] = {}

    @property
    def outputs(self) -> IdentityOutputs:
        """What the service account and its pods must carry, and the logins at the stores so far."""
        return told(self._identity, self._logins)

    @property
    def ready(self) -> tuple[ITerraformDependable, ...]:
        """Return what a pod of the service account has to wait for: the trust and every grant so far."""
        return tuple(self._ready)

    def use(self, id_: str, store: Grantable) -> None:
        """Let the workload into the store. ``id_`` names the grant apart from the others and is part of its address."""
        principal, name = Late(self._identity.principal_id), Late(self._identity.name)
        self._ready += store.grant_to(self, id_, principal_id=principal, name=name)
        if isinstance(store, HasLogin):
            self._logins[store.name] = store.login(principal_id=principal, name=name)


def told(identity: AzurermUserAssignedIdentity, logins: Mapping[str, Late]) -> IdentityOutputs:
    """Return what a pod has to know to become an identity."""
    return IdentityOutputs(
        principal=Late(identity.principal_id),
        annotations={CLIENT_ANNOTATION: Late(identity.client_id)},
        pod_labels={USE_LABEL: Late("true")},
        logins=dict(logins),
    )
