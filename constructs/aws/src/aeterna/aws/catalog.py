"""The Iceberg catalog on AWS: a Glue database over a bucket of the customer's."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.catalog_s3tables import S3TablesCatalog
from aeterna.aws.l1.glue_catalog_database import AwsGlueCatalogDatabase
from aeterna.aws.l1.glue_data_catalog_encryption_settings import AwsGlueDataCatalogEncryptionSettings
from aeterna.aws.policy_document import Statement, sid
from aeterna.aws.rest_catalog import signed_by
from aeterna.contracts.catalog import CatalogOutputs
from aeterna.contracts.late import Late
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.aws.bucket import S3Bucket
    from aeterna.aws.keys import AwsKey
    from aeterna.aws.l1.glue_catalog_database import AwsGlueCatalogDatabaseCreateTableDefaultPermissionBlock
    from aeterna.contracts.catalog import CatalogSpec

__all__ = ["GlueCatalog", "GlueEncryption", "Governance", "S3TablesCatalog"]

READ = ("glue:GetCatalog", "glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables")
WRITE = ("glue:CreateTable", "glue:DeleteTable", "glue:UpdateTable")


class Governance(StrEnum):
    """Who decides what may be done with the tables."""

    IAM = "iam"
    """IAM policies alone, whatever the account's Lake Formation would give new tables. The default."""

    LAKE_FORMATION = "lake-formation"
    """The account's Lake Formation administrators, who have to grant each workload the database and its tables."""


@names_itself
class GlueCatalog(Construct):
    """A database in the account's Glue catalog, whose tables live in the bucket below the catalog's name.

    ``key`` is the one that the account's catalog is encrypted under, if it is (`GlueEncryption`): what `access` returns
    lets a workload through it. Whether it is, is a setting of the whole account and region, and not of a database.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: CatalogSpec,
        *,
        bucket: S3Bucket,
        key: AwsKey,
        governance: Governance = Governance.IAM,
    ) -> None:
        super().__init__(scope, id_)
        self._name, self._bucket, self._key, self._governance = spec.name, bucket, key, governance
        self._account = Account(self, "Account")
        self._database = AwsGlueCatalogDatabase(
            self,
            "Resource",
            name=spec.namespace_name(),
            location_uri=f"{bucket.outputs.uri}/{spec.name}",
            create_table_default_permission=_TABLE_PERMISSIONS[governance],
            tags={"Name": spec.name},
        )
        region = self._account.region
        self.outputs = CatalogOutputs(
            uri=Late(f"https://glue.{region}.amazonaws.com/iceberg"),
            warehouse=Late(self._database.catalog_id),
            namespace=Late(self._database.name),
            properties=signed_by("glue", region),
            address=Late(f"glue://{region}?namespace={self._database.name}"),
            files=Late(f"{bucket.outputs.uri}/{spec.name}?region={region}"),
        )

    def access(self) -> tuple[Statement, ...]:
        """Return what a workload needs to read and commit tables of the database: Glue, the objects and the keys."""
        return (*self._on_catalog("Commit", (*READ, *WRITE)), *self._bucket.access())

    def read_statements(self) -> tuple[Statement, ...]:
        """Return what an identity needs to read tables of the database only."""
        return (*self._on_catalog("Read", READ), *self._bucket.read_statements())

    def _on_catalog(self, verb: str, actions: tuple[str, ...]) -> tuple[Statement, ...]:
        database = self._database.name
        tables = Statement(
            sid=sid(verb, self._name, "Tables"),
            actions=actions,
            resources=(
                # Glue asks for the permission on the table and on everything above it.
                self._account.arn("glue", "catalog"),
                self._account.arn("glue", f"database/{database}"),
                self._account.arn("glue", f"table/{database}/*"),
            ),
        )
        key = self._key.usage(
            sid(verb, self._name, "CatalogKey"), via="glue", actions=("kms:Decrypt", "kms:GenerateDataKey")
        )
        return (tables, key, *self._governed(verb))

    def _governed(self, verb: str) -> tuple[Statement, ...]:
        if self._governance is Governance.IAM:
            return ()
        # Lake Formation vends the credentials for the tables it has granted; IAM knows no resource for it.
        vend = Statement(
            sid=sid(verb, self._name, "DataAccess"), actions=("lakeformation:GetDataAccess",), resources=("*",)
        )
        return (vend,)


_EVERY_IAM_PRINCIPAL: AwsGlueCatalogDatabaseCreateTableDefaultPermissionBlock = {
    "permissions": ["ALL"],
    "principal": {"data_lake_principal_identifier": "IAM_ALLOWED_PRINCIPALS"},
}
_TABLE_PERMISSIONS = {Governance.IAM: [_EVERY_IAM_PRINCIPAL], Governance.LAKE_FORMATION: None}
"""What Lake Formation gives on new tables. Without a block, the account's own settings decide; an empty block does not
mean "nothing" to the provider (terraform-provider-aws#43226)."""


class GlueEncryption(Construct):
    """Encrypts the metadata of the account's whole Glue catalog in this region under the key.

    There is one such setting an account and region, and the last one applied wins: make it once, in the stack that owns
    the account's settings, and give the same key to every `GlueCatalog`. Whoever else uses Glue there needs the key.
    """

    def __init__(self, scope: Construct, id_: str, *, key: AwsKey) -> None:
        super().__init__(scope, id_)
        AwsGlueDataCatalogEncryptionSettings(
            self,
            "Resource",
            data_catalog_encryption_settings={
                "connection_password_encryption": {
                    "return_connection_password_encrypted": True,
                    "aws_kms_key_id": key.arn,
                },
                "encryption_at_rest": {"catalog_encryption_mode": "SSE-KMS", "sse_aws_kms_key_id": key.arn},
            },
        )
