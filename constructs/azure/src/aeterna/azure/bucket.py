"""A data lake's filesystem on Azure: an account that only identities inside the network open, and one container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.storage_container import AzurermStorageContainer
from aeterna.azure.names import account_name
from aeterna.azure.roles import Granted
from aeterna.azure.storage import LONGEST_RECOVERABLE, AccountSpec, StorageAccount
from aeterna.contracts.bucket import BucketOutputs
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.keys import AzureKey
    from aeterna.azure.network import AzureNetwork
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.bucket import BucketSpec
    from aeterna.synth._cdk import ITerraformDependable

READ_WRITE = "Storage Blob Data Contributor"
SUBRESOURCES = ("blob", "dfs")
"""Clients speak to both: PyIceberg's file systems to the one, Java's and the catalog's to the other."""

UNCOMMITTED_DAYS = 7
"""Azure itself forgets the blocks of an interrupted upload after a week."""


@names_itself
class BlobBucket(Construct):
    """A filesystem in an account of its own, reached through private endpoints alone.

    ``hierarchical`` makes its directories real, which REST servers of a catalog demand, and which never changes. Such
    an account keeps what was deleted and not what was overwritten, and cannot be replicated or backed up object by
    object. An Iceberg table never overwrites a file. Default: on. Without it the account keeps every version.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: BucketSpec,
        *,
        place: AzurePlace,
        key: AzureKey,
        network: AzureNetwork,
        hierarchical: bool = True,
    ) -> None:
        super().__init__(scope, id_)
        require_bucket(spec)
        self.place, self.hierarchical, self.protected = place, hierarchical, spec.protected
        account = AccountSpec(
            name=account_name(spec.name),
            recoverable_days=spec.noncurrent_days,
            versions=not hierarchical,
            hierarchical=hierarchical,
            protected=spec.protected,
        )
        self.store = StorageAccount(self, "Account", account, place=place, key=key)
        # Made through Azure's management interface, which needs no way into the account; on an account with real
        # directories a container is a filesystem.
        self._container = AzurermStorageContainer(
            self,
            "Resource",
            name=spec.name,
            storage_account_id=self.store.id,
            container_access_type="private",
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
        )
        if not hierarchical:
            self.store.forget_versions(self, "Lifecycle", days=spec.noncurrent_days)
        self.endpoints: tuple[ITerraformDependable, ...] = tuple(
            network.private_endpoint(
                self,
                subresource.capitalize(),
                target_id=self.store.id,
                subresource=subresource,
                zone=network.zone(subresource),
                place=place,
            )
            for subresource in SUBRESOURCES
        )
        self.filesystem = Late(self._container.name)
        self.outputs = BucketOutputs(
            name=self.store.name,
            uri=Late(f"abfss://{self._container.name}@{self.store.dfs_host}"),
            objects=Late(f"az://{self.store.name}/{self._container.name}"),
        )

    def grant_to(self, scope: Construct, id_: str, *, principal_id: Late, name: Late) -> Sequence[ITerraformDependable]:
        """Let an identity read and write what is in the filesystem, and nothing else in the account."""
        del name
        granted = Granted(scope, id_, role=READ_WRITE, on=self._container.id, to=principal_id)
        return (*granted.ready, *self.endpoints)


def require_bucket(spec: BucketSpec) -> None:
    """Refuse what Azure's storage accounts cannot do."""
    kind = type(spec).__name__
    require_between(kind, "noncurrent_days", spec.noncurrent_days, (1, LONGEST_RECOVERABLE), "days")
    if spec.abort_multipart_days != UNCOMMITTED_DAYS:
        problem = f"Azure forgets interrupted uploads after {UNCOMMITTED_DAYS} days, always"
        raise InvalidSpecError(kind, "abort_multipart_days", problem, f"leave it at {UNCOMMITTED_DAYS}")
    if spec.access_log_bucket is not None:
        problem = "Azure's record of requests goes to an account's identifier, which a name does not tell"
        remedy = "leave it out, and add an azurerm_monitor_diagnostic_setting to the account's blob service"
        raise InvalidSpecError(kind, "access_log_bucket", problem, remedy)
