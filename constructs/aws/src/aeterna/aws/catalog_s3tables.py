"""The Iceberg catalog on AWS as a table bucket of S3: the service keeps catalog and tables, and compacts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.l1.s3tables_namespace import AwsS3tablesNamespace
from aeterna.aws.l1.s3tables_table_bucket import AwsS3tablesTableBucket
from aeterna.aws.l1.s3tables_table_bucket_policy import AwsS3tablesTableBucketPolicy
from aeterna.aws.policy_document import EVERYONE, Condition, Statement, document, sid
from aeterna.aws.rest_catalog import signed_by
from aeterna.contracts.catalog import CatalogOutputs
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.aws.keys import AwsKey
    from aeterna.contracts.catalog import CatalogSpec

SHORTEST_NAME = 3
RESERVED_BEGINNINGS = ("sthree-", "amzn-s3-demo-", "aws")
RESERVED_ENDINGS = ("-s3alias",)
UNREFERENCED_DAYS = 3
NONCURRENT_DAYS = 10

READ_BUCKET = ("s3tables:GetNamespace", "s3tables:GetTableBucket", "s3tables:ListNamespaces", "s3tables:ListTables")
READ_TABLES = ("s3tables:GetTable", "s3tables:GetTableData", "s3tables:GetTableMetadataLocation")
WRITE_TABLES = (
    "s3tables:CreateTable",
    "s3tables:DeleteTable",
    "s3tables:PutTableData",
    "s3tables:UpdateTableMetadataLocation",
)


@names_itself
class S3TablesCatalog(Construct):
    """A table bucket with one namespace, encrypted under the key, that nobody may use without TLS or with another key.

    The service compacts tables itself, so its maintenance is let through the key, for this table bucket only.
    """

    def __init__(self, scope: Construct, id_: str, spec: CatalogSpec, *, key: AwsKey) -> None:
        super().__init__(scope, id_)
        _require_names(spec)
        self._name, self._key = spec.name, key
        account = Account(self, "Account")
        key.allow_table_maintenance(spec.name)
        self._bucket = self._table_bucket(spec)
        self.arn = Late(self._bucket.arn)
        AwsS3tablesTableBucketPolicy(
            self, "Policy", table_bucket_arn=self.arn, resource_policy=document(self._denials())
        )
        namespace = AwsS3tablesNamespace(self, "Namespace", namespace=spec.namespace_name(), table_bucket_arn=self.arn)
        self.outputs = CatalogOutputs(
            uri=Late(f"https://s3tables.{account.region}.amazonaws.com/iceberg"),
            warehouse=self.arn,
            namespace=Late(namespace.namespace),
            properties=signed_by("s3tables", account.region),
        )

    def access(self) -> tuple[Statement, ...]:
        """Return what a workload needs to read and commit tables of the table bucket."""
        return self._grants("Commit", (*READ_TABLES, *WRITE_TABLES), ("kms:Decrypt", "kms:GenerateDataKey"))

    def read_statements(self) -> tuple[Statement, ...]:
        """Return what an identity needs to read tables of the table bucket only."""
        return self._grants("Read", READ_TABLES, ("kms:Decrypt",))

    def _grants(self, verb: str, tables: tuple[str, ...], key: tuple[str, ...]) -> tuple[Statement, ...]:
        return (
            Statement(sid=sid(verb, self._name, "Bucket"), actions=READ_BUCKET, resources=(self.arn,)),
            Statement(sid=sid(verb, self._name, "Tables"), actions=tables, resources=(self.arn, f"{self.arn}/table/*")),
            Statement(
                sid=sid(verb, self._name, "Key"),
                actions=key,
                resources=(self._key.arn,),
                conditions=(_encrypts_within(self.arn),),
            ),
        )

    def _table_bucket(self, spec: CatalogSpec) -> AwsS3tablesTableBucket:
        return AwsS3tablesTableBucket(
            self,
            "Resource",
            name=spec.name,
            encryption_configuration={"sse_algorithm": "aws:kms", "kms_key_arn": self._key.arn},
            maintenance_configuration={
                "iceberg_unreferenced_file_removal": {
                    "status": "enabled",
                    "settings": {"unreferenced_days": UNREFERENCED_DAYS, "non_current_days": NONCURRENT_DAYS},
                }
            },
            tags={"Name": spec.name},
        )

    def _denials(self) -> tuple[Statement, ...]:
        everything = (self.arn, f"{self.arn}/*")
        # A negated test also holds where its key is absent: a table made without one gets the table bucket's own.
        other_key = (
            Condition(test="Null", variable="s3tables:kmsKeyArn", values=("false",)),
            Condition(test="StringNotEquals", variable="s3tables:kmsKeyArn", values=(self._key.arn,)),
        )
        weaker = (
            Condition(test="Null", variable="s3tables:sseAlgorithm", values=("false",)),
            Condition(test="StringNotEquals", variable="s3tables:sseAlgorithm", values=("aws:kms",)),
        )
        plain = (Condition(test="Bool", variable="aws:SecureTransport", values=("false",)),)
        return (
            _deny("PlainHttp", "s3tables:*", everything, plain),
            _deny("OtherKey", "s3tables:CreateTable", everything, other_key),
            _deny("WeakerEncryption", "s3tables:CreateTable", everything, weaker),
        )


def _deny(what: str, action: str, resources: tuple[str, ...], conditions: tuple[Condition, ...]) -> Statement:
    return Statement(
        sid=f"Deny{what}",
        effect="Deny",
        principals=(EVERYONE,),
        actions=(action,),
        resources=resources,
        conditions=conditions,
    )


def _encrypts_within(bucket: str) -> Condition:
    """Hold the key to the tables of one table bucket, which the service names in the encryption context."""
    return Condition(test="StringLike", variable="kms:EncryptionContext:aws:s3:arn", values=(f"{bucket}/*",))


def _require_names(spec: CatalogSpec) -> None:
    """Refuse what a table bucket or its namespace may not be called (S3 User Guide, "Table bucket naming rules")."""
    namespace = spec.namespace_name()
    reserved = spec.name.startswith(RESERVED_BEGINNINGS) or spec.name.endswith(RESERVED_ENDINGS)
    for field, name, refused in (
        ("name", spec.name, reserved or len(spec.name) < SHORTEST_NAME),
        ("namespace", namespace, namespace.startswith("aws") or len(namespace) < SHORTEST_NAME),
    ):
        if refused:
            problem = f"{name!r} is too short or begins or ends as S3's own names do"
            remedy = f"use at least {SHORTEST_NAME} characters, not beginning with 'aws', 'sthree-' or 'amzn-s3-demo-'"
            raise InvalidSpecError("CatalogSpec", field, problem, remedy)
