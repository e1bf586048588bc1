"""Who administers a PostgreSQL server on Azure: an identity of its own, for one service account that migrates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.identity import Federation
from aeterna.azure.l1.postgresql_flexible_server_active_directory_administrator import (
    AzurermPostgresqlFlexibleServerActiveDirectoryAdministrator,
)
from aeterna.azure.l1.user_assigned_identity import AzurermUserAssignedIdentity
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late

if TYPE_CHECKING:
    from aeterna.azure.cluster import AksCluster
    from aeterna.azure.l1.postgresql_flexible_server import AzurermPostgresqlFlexibleServer
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.identity import IdentitySpec


class DatabaseAdministrator(Construct):
    """The one administrator that a server has, without a password.

    It is not whoever applies: the server wants a principal's name and kind, which only a reader of the whole directory
    could look up, and whoever applies next would take it away.
    """

    def __init__(
        self, scope: Construct, id_: str, *, name: str, server: AzurermPostgresqlFlexibleServer, place: AzurePlace
    ) -> None:
        super().__init__(scope, id_)
        self._server_name, self._federated = name, False
        self._identity = AzurermUserAssignedIdentity(
            self,
            "Identity",
            # No workload's identity can be called so: a spec takes no underscore.
            name=f"{name}_admin",
            resource_group_name=place.group_name,
            location=place.location,
        )
        self.login = Late(self._identity.name)
        AzurermPostgresqlFlexibleServerActiveDirectoryAdministrator(
            self,
            "Resource",
            server_name=server.name,
            resource_group_name=place.group_name,
            tenant_id=place.tenant_id,
            object_id=self._identity.principal_id,
            principal_name=self._identity.name,
            principal_type="ServicePrincipal",
        )

    def federate(self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: AksCluster) -> Federation:
        """Let the pods of one service account be the administrator. Raises `InvalidSpecError` for a second one."""
        if self._federated:
            problem = f"{self._server_name!r} is administered by one service account already"
            raise InvalidSpecError("DatabaseSpec", "name", problem, "run every migration as that one")
        self._federated = True
        logins = {self._server_name: self.login}
        return Federation(scope, id_, spec, identity=self._identity, cluster=cluster, logins=logins)
