"""An Iceberg catalog on Azure, which has none: a database that knows the tables, and a place for their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from aeterna.azure.l1.postgresql_flexible_server_database import AzurermPostgresqlFlexibleServerDatabase
from aeterna.contracts.catalog import CatalogOutputs
from aeterna.contracts.database import require_role
from aeterna.contracts.late import Late
from aeterna.synth.app import Annotations
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.bucket import BlobBucket
    from aeterna.contracts.catalog import CatalogSpec
    from aeterna.contracts.database import DatabaseOutputs
    from aeterna.synth._cdk import ITerraformDependable

SERVICE = "http://catalog:8181/catalog"
"""Where a server of the customer's own is expected, for pods of its namespace. Nobody runs one for him."""


class Server(Protocol):
    """A PostgreSQL server on which a database can be made."""

    @property
    def id(self) -> Late:
        """Return its identifier."""
        ...

    @property
    def outputs(self) -> DatabaseOutputs:
        """What it tells."""
        ...


@names_itself
class LakeCatalog(Construct):
    """A catalog in a database of its own on the PostgreSQL server that is there already; the files are in the bucket.

    Graphs speak to the database itself, each pod by its identity, and nothing runs between them. Whoever runs a REST
    server beside it, such as Lakekeeper, for engines that speak nothing else, has its address in `outputs.uri`.
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
        self.name = spec.name
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
            address=Late(
                f"postgresql://{database.outputs.host}:{database.outputs.port}/{self._database.name}"
                f"?auth=azure&namespace={spec.namespace_name()}"
            ),
            files=Late(f"{bucket.outputs.uri}/{spec.name}"),
            database=self.database_name,
        )

    def grant_to(self, scope: Construct, id_: str, *, principal_id: Late, name: Late) -> Sequence[ITerraformDependable]:
        """Return what a client waits for. Who may use the tables is written in the database, by a migration."""
        del scope, id_, principal_id, name
        return (self._database,)

    def login(self, *, principal_id: Late, name: Late) -> Late:
        """Return the role that an identity logs in as: its own name."""
        del principal_id
        return name
