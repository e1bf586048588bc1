"""What holds for all stores together, in a customer's own stack."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

import pytest

from aeterna.aws.bucket import S3Bucket
from aeterna.aws.cache import ElastiCacheValkey
from aeterna.aws.catalog import GlueCatalog, S3TablesCatalog
from aeterna.aws.database import RdsPostgres
from aeterna.aws.policy_document import document
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.cache import CacheSpec
from aeterna.contracts.catalog import CatalogSpec
from aeterna.contracts.database import DatabaseSpec
from aeterna.synth.app import TerraformOutput
from fixtures.customer_stack import CLUSTER, CustomerStack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.testing import Document, Json

SECRET_NAME = re.compile(r"password|passwd|secret|token|credential|access_key|private_key", re.IGNORECASE)
REFERENCE = re.compile(r"\$\{[^}]+\}")
SECRET_VALUE = re.compile(r"AKIA[0-9A-Z]{16}|-----BEGIN|[A-Za-z0-9+/]{40,}={1,2}")

NOT_A_SECRET = {
    "password_wo_version": "counts the passwords there have been",
    "secret_id": "names the secret",
    "secret_string_wo_version": "counts the passwords there have been",
}
"""Arguments whose name sounds like a secret, with why their value is none."""

STORES = {
    "aws_cloudwatch_log_group": ("kms_key_id",),
    "aws_db_instance": ("kms_key_id", "performance_insights_kms_key_id"),
    "aws_elasticache_replication_group": ("kms_key_id",),
    "aws_s3_bucket_server_side_encryption_configuration": (
        "rule.0.apply_server_side_encryption_by_default.kms_master_key_id",
    ),
    "aws_secretsmanager_secret": ("kms_key_id",),
    "aws_s3tables_table_bucket": ("encryption_configuration.kms_key_arn",),
}
"""Everything here that keeps data, and where it names the key."""


class AllStores(CustomerStack):
    """Every store of Aeterna in one stack."""

    def __init__(self) -> None:
        super().__init__()
        network, key, clients = self.network, self.key, [CLUSTER]
        spec = DatabaseSpec(name="threads")
        database = RdsPostgres(self, "Threads", spec, network=network, key=key, clients=clients)
        cache = ElastiCacheValkey(self, "Policy", CacheSpec(name="policy"), network=network, key=key, clients=clients)
        bucket = S3Bucket(self, "Files", BucketSpec(name="acme-graph"), key=self.key)
        glue = GlueCatalog(self, "Catalog", CatalogSpec(name="acme-graph"), bucket=bucket, key=self.key)
        tables = S3TablesCatalog(self, "Tables", CatalogSpec(name="acme-tables"), key=self.key)
        grants = (*database.access(), *cache.access(), *glue.access(), *tables.access())
        TerraformOutput(self, "grants", value=document(grants))


@pytest.fixture(scope="module")
def synthesis() -> Document:
    return AllStores().document()


def test_no_password_key_or_token_is_written_anywhere(synthesis: Document) -> None:
    """What is in the JSON is in every plan, state and pull request."""
    suspicious = {path: value for path, value in _leaves(synthesis.json, "") if _sounds_secret(path) and value}

    assert not {path: value for path, value in suspicious.items() if not _is_harmless(path, str(value))}
    assert not SECRET_VALUE.search(REFERENCE.sub("", synthesis.text))


def test_the_scan_would_notice_a_password() -> None:
    """The scan above is worth nothing if a planted canary gets through it."""
    planted = {"resource": {"aws_db_instance": {"Db": {"password": "canary-7f3a"}}}}

    assert [path for path, _ in _leaves(planted, "") if _sounds_secret(path)] == [
        "resource.aws_db_instance.Db.password"
    ]


@pytest.mark.parametrize("store", STORES)
def test_every_store_is_encrypted_with_the_customers_key(store: str, synthesis: Document) -> None:
    (key,) = synthesis.resources("aws_kms_key")
    leaves = dict(_leaves(synthesis.resources(store), ""))

    assert synthesis.resources(store)
    for name in synthesis.resources(store):
        for argument in STORES[store]:
            assert leaves[f"{name}.{argument}"] == f"${{aws_kms_key.{key}.arn}}"


def test_no_store_that_is_made_here_is_missing_from_the_list(synthesis: Document) -> None:
    """A new kind of resource has to be looked at, whether it keeps data."""
    keeps_nothing = {
        "aws_db_parameter_group",
        "aws_db_subnet_group",
        "aws_elasticache_parameter_group",
        "aws_elasticache_subnet_group",
        "aws_elasticache_user",
        "aws_elasticache_user_group",
        "aws_glue_catalog_database",  # metadata, encrypted by a setting of the account
        "aws_iam_role",
        "aws_iam_role_policy_attachment",
        "aws_kms_alias",
        "aws_kms_key",
        "aws_s3_bucket",  # encrypted by a resource of its own, which is on the list
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_versioning",
        "aws_s3tables_namespace",
        "aws_s3tables_table_bucket_policy",
        "aws_secretsmanager_secret_version",  # encrypted by its secret, which is on the list
        "aws_security_group",
        "aws_vpc_security_group_ingress_rule",
    }

    assert set(synthesis.json["resource"]) == keeps_nothing | STORES.keys()


def test_no_resource_waits_for_itself(synthesis: Document) -> None:
    """The key's policy names log groups and the log groups name the key: by name on one side, or nothing applies."""
    waits = {address: _waits_for(resource, synthesis) for address, resource in _resources(synthesis)}
    settled: set[str] = set()
    while ready := {address for address, others in waits.items() if others <= settled} - settled:
        settled |= ready

    assert settled == waits.keys()


def test_two_syntheses_are_byte_identical(synthesis: Document) -> None:
    assert AllStores().document().text == synthesis.text


def test_grants_of_all_stores_fit_into_one_policy_and_name_their_resources(synthesis: Document) -> None:
    statements = json.loads(synthesis.outputs()["grants"]["value"])["Statement"]

    assert len({statement["Sid"] for statement in statements}) == len(statements)
    assert all("*" not in statement["Resource"] for statement in statements)


def test_addresses_stay_as_customers_have_them(synthesis: Document) -> None:
    """A rename replaces somebody's database: a change here needs a ``moved``."""
    assert [address for address in synthesis.addresses() if not address.startswith("data.")] == ADDRESSES


def _sounds_secret(path: str) -> bool:
    return SECRET_NAME.search(path.rpartition(".")[2]) is not None


def _is_harmless(path: str, value: str) -> bool:
    """Whether it is no secret, or one on its way to a write-only argument, which is kept in no file."""
    name = path.rpartition(".")[2]
    return name in NOT_A_SECRET or (name.endswith("_wo") and "${ephemeral." in value)


def _leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    match value:
        case dict():
            for name, item in cast("dict[str, Json]", value).items():
                yield from _leaves(item, f"{path}.{name}" if path else name)
        case list():
            for index, item in enumerate(cast("list[Json]", value)):
                yield from _leaves(item, f"{path}.{index}")
        case _:
            yield path, value


def _resources(synthesis: Document) -> Iterator[tuple[str, Json]]:
    for kind, prefix in (("resource", ""), ("data", "data.")):
        for terraform_type, named in synthesis.json[kind].items():
            for name, resource in named.items():
                yield f"{prefix}{terraform_type}.{name}", resource


def _waits_for(resource: Json, synthesis: Document) -> set[str]:
    text = json.dumps(resource)
    return {
        address for address in synthesis.addresses() if re.search(rf"(?<![\w.]){re.escape(address)}(?![\w-])", text)
    }


ADDRESSES = [
    "aws_cloudwatch_log_group.Policy_EngineLog_AC74A7F2",
    "aws_cloudwatch_log_group.Policy_SlowLog_B8EFE474",
    "aws_cloudwatch_log_group.Threads_IamLogs_444A7FFB",
    "aws_cloudwatch_log_group.Threads_PostgresqlLogs_D79589BE",
    "aws_cloudwatch_log_group.Threads_UpgradeLogs_5B2AF884",
    "aws_db_instance.Threads_E6A0B71E",
    "aws_db_parameter_group.Threads_Parameters_C45F24B5",
    "aws_db_subnet_group.Threads_Subnets_00C5F67A",
    "aws_elasticache_parameter_group.Policy_Parameters_B6B66A3C",
    "aws_elasticache_replication_group.Policy_23B91518",
    "aws_elasticache_subnet_group.Policy_Subnets_9627F465",
    "aws_elasticache_user.Policy_User-aeterna_D537DF3F",
    "aws_elasticache_user_group.Policy_Users_46FD3F47",
    "aws_glue_catalog_database.Catalog_742F25FD",
    "aws_iam_role.Threads_MonitorRole_0A823567",
    "aws_iam_role_policy_attachment.Threads_MonitorRole_Monitoring_B40E5B28",
    "aws_kms_alias.Key_Alias_6C2E2031",
    "aws_kms_key.Key_961B73FD",
    "aws_s3_bucket.Files_8E6940B8",
    "aws_s3_bucket_lifecycle_configuration.Files_Lifecycle_96E5A68F",
    "aws_s3_bucket_ownership_controls.Files_Ownership_492EFAD6",
    "aws_s3_bucket_policy.Files_Policy_C717EDA3",
    "aws_s3_bucket_public_access_block.Files_PublicAccess_2C8BD252",
    "aws_s3_bucket_server_side_encryption_configuration.Files_Encryption_8A4871BC",
    "aws_s3_bucket_versioning.Files_Versioning_0070FA4E",
    "aws_s3tables_namespace.Tables_Namespace_AD70123F",
    "aws_s3tables_table_bucket.Tables_0AB3EA20",
    "aws_s3tables_table_bucket_policy.Tables_Policy_0E8AF685",
    "aws_secretsmanager_secret.Threads_Administrator_BBEFCEFA",
    "aws_secretsmanager_secret_version.Threads_Administrator_Version_0CE14933",
    "aws_security_group.Policy_Access_AC445CF7",
    "aws_security_group.Threads_Access_D3DA816C",
    "aws_vpc_security_group_ingress_rule.Policy_Clients_Client0_1F827BF3",
    "aws_vpc_security_group_ingress_rule.Threads_Clients_Client0_BC3D4192",
]
