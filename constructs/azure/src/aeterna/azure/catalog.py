"""What an Iceberg catalog needs on Azure, which has none: a place for tables and a database for its server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from aeterna.azure.l1.postgresql_flexible_server_database import AzurermPostgresqlFlexibleServerDatabase
from aeterna.contracts.catalog import CatalogOutputs
from aeterna.contracts.database import require_role
from aeterna.contracts.injection.names import TOKEN_FILE
from aeterna.contracts.late import Late
from aeterna.synth.app import Annotations
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.bucket import BlobBucket
    from aeterna.contracts.catalog import CatalogSpec
    from aeterna.synth._cdk import ITerraformDependable

SERVICE = "http://catalog:8181/catalog"
"""The server's address for pods of its own namespace. It is never reached from outside the cluster."""


class Server(Protocol):
    """A PostgreSQL server on which a database can be made."""

    @property
    def id(self) -> Late:
        """Return its identifier."""
        ...


@names_itself
class LakeCatalog(Construct):
    """The warehouse of a REST catalog server in the cluster, such as Lakekeeper, over the bucket's filesystem.

    Terraform makes its database, on the PostgreSQL server that is there already; the tables go into the bucket.
    The server itself is a deployment of the platform: until that runs, nothing answers at the address in `outputs`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: CatalogSpec,
        *,
        bucket: BlobBucket,
        database: Server,
        uri: str = SERVICE,
    ) -> None:
        super().__init__(scope, id_)
        if not bucket.hierarchical:
            Annotations.of(self).add_warning(
                f"{bucket.node.path} is flat: Lakekeeper refuses it, other servers may not"
            )
        name = f"{spec.name.replace('-', '_')}_catalog"
        require_role("CatalogSpec", "name", name)
        self._database = AzurermPostgresqlFlexibleServerDatabase(
            self,
            "Resource",
            name=name,
            server_id=database.id,
            charset="UTF8",
            collation="en_US.utf8",
            # It knows which files are a table: without it the files in the bucket are only files.
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=bucket.protected)),
        )
        self.database_name = Late(self._database.name)
        self.outputs = CatalogOutputs(
            uri=Late(uri),
            warehouse=Late(spec.name),
            namespace=Late(spec.namespace_name()),
            properties={
                "adls.account-name": bucket.outputs.name,
                "adls.account-host": bucket.store.blob_host,
            },
            # The server is in the cluster and believes the cluster's own tokens.
            address=Late(
                f"{uri}?warehouse={spec.name}&auth=file&token_file={TOKEN_FILE}&namespace={spec.namespace_name()}"
            ),
            files=Late(f"{bucket.outputs.uri}/{spec.name}"),
        )

    def grant_to(self, scope: Construct, id_: str, *, principal_id: Late, name: Late) -> Sequence[ITerraformDependable]:
        """Return what a client waits for. The server itself decides whom it serves, by the token that it is shown."""
        del scope, id_, principal_id, name
        return (self._database,)
