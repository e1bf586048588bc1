"""What the two Iceberg catalogs on AWS are, read from what Terraform would be given."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.aws.bucket import S3Bucket
from aeterna.aws.catalog import GlueCatalog, GlueEncryption, Governance, S3TablesCatalog
from aeterna.aws.policy_document import document
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.catalog import CatalogSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth.app import TerraformOutput
from aeterna.synth.testing import Document, Json, synthesized
from fixtures.customer_stack import CustomerStack
from fixtures.iam_simulation import Request, allowed_actions, denies

OVER_TLS: Request = {"aws:SecureTransport": "true"}


class GlueStack(CustomerStack):
    """A customer's stack with a bucket and a Glue catalog over it."""

    def __init__(self, governance: Governance = Governance.IAM) -> None:
        super().__init__()
        bucket = S3Bucket(self, "Files", BucketSpec(name="acme-graph"), key=self.key)
        spec = CatalogSpec(name="acme-graph")
        self.catalog = GlueCatalog(self, "Catalog", spec, bucket=bucket, key=self.key, governance=governance)


@pytest.fixture(scope="module")
def glue() -> Document:
    stack = GlueStack()
    TerraformOutput(stack, "access", value=document(stack.catalog.access()))
    TerraformOutput(stack, "catalog", value=[stack.catalog.outputs.uri, stack.catalog.outputs.namespace])
    return synthesized(stack)


@pytest.fixture(scope="module")
def tables() -> Document:
    stack = CustomerStack()
    catalog = S3TablesCatalog(stack, "Catalog", CatalogSpec(name="acme-graph"), key=stack.key)
    TerraformOutput(stack, "access", value=document(catalog.access()))
    TerraformOutput(stack, "warehouse", value=catalog.outputs.warehouse)
    return synthesized(stack)


def granted(synthesis: Document) -> list[Json]:
    return json.loads(synthesis.outputs()["access"]["value"])["Statement"]


def key_arn(synthesis: Document) -> str:
    (name,) = synthesis.resources("aws_kms_key")
    return f"${{aws_kms_key.{name}.arn}}"


def test_a_glue_database_keeps_its_tables_in_the_bucket(glue: Document) -> None:
    database = glue.only("aws_glue_catalog_database")

    assert database["name"] == "acme_graph"
    assert database["location_uri"].startswith("s3://${aws_s3_bucket.")
    assert database["location_uri"].endswith("/acme-graph")


def test_the_accounts_own_catalog_settings_are_left_alone_unless_asked(glue: Document) -> None:
    """There is one such setting an account and region: a stack that sets it unasked changes everyone's catalog."""
    assert not glue.resources("aws_glue_data_catalog_encryption_settings")


def test_the_accounts_catalog_is_encrypted_under_the_key_when_asked() -> None:
    stack = CustomerStack()
    GlueEncryption(stack, "CatalogEncryption", key=stack.key)

    synthesis = stack.document()
    settings_ = synthesis.only("aws_glue_data_catalog_encryption_settings")["data_catalog_encryption_settings"]

    assert settings_["encryption_at_rest"]["catalog_encryption_mode"] == "SSE-KMS"
    assert settings_["encryption_at_rest"]["sse_aws_kms_key_id"] == key_arn(synthesis)
    assert settings_["connection_password_encryption"]["return_connection_password_encrypted"] is True


def test_iam_alone_governs_new_tables_by_default(glue: Document) -> None:
    (permission,) = glue.only("aws_glue_catalog_database")["create_table_default_permission"]

    assert permission["permissions"] == ["ALL"]
    assert permission["principal"] == {"data_lake_principal_identifier": "IAM_ALLOWED_PRINCIPALS"}


def test_lake_formation_governs_new_tables_when_asked_and_vends_the_credentials() -> None:
    """An empty block would not mean "nothing" to the provider, so there is none."""
    stack = GlueStack(Governance.LAKE_FORMATION)

    assert "create_table_default_permission" not in stack.document().only("aws_glue_catalog_database")
    assert "lakeformation:GetDataAccess" in allowed_actions(stack.catalog.access())
    assert "lakeformation:GetDataAccess" not in allowed_actions(GlueStack().catalog.access())


def test_a_workload_gets_glue_the_files_and_the_key_and_each_only_for_this_catalog(glue: Document) -> None:
    statements = granted(glue)
    by_service = {action.partition(":")[0] for statement in statements for action in statement["Action"]}
    tables = next(statement for statement in statements if "glue:UpdateTable" in statement["Action"])

    assert by_service == {"glue", "kms", "s3"}
    assert [resource.rpartition(":")[2].split("/")[0] for resource in tables["Resource"]] == [
        "catalog",
        "database",
        "table",
    ]
    assert all("*" not in action for statement in statements for action in statement["Action"])
    assert all(resource != "*" for statement in statements for resource in statement["Resource"])


def test_a_workload_cannot_drop_the_database_or_another_one(glue: Document) -> None:
    actions = {action for statement in granted(glue) for action in statement["Action"]}

    assert not {"glue:DeleteDatabase", "glue:UpdateDatabase", "glue:CreateDatabase"} & actions


def test_a_reader_of_either_catalog_can_change_nothing() -> None:
    stack = GlueStack()
    table_bucket = S3TablesCatalog(stack, "Tables", CatalogSpec(name="acme-tables"), key=stack.key)
    actions = allowed_actions((*stack.catalog.read_statements(), *table_bucket.read_statements()))

    verbs = {action.partition(":")[2] for action in actions}

    assert all(verb.startswith(("Get", "List", "Decrypt", "GenerateDataKey")) for verb in verbs)


def test_glue_outputs_follow_the_database(glue: Document) -> None:
    uri, namespace = glue.outputs()["catalog"]["value"]

    assert uri.startswith("https://glue.${data.aws_region.")
    assert namespace.startswith("${aws_glue_catalog_database.")


def test_a_table_bucket_is_encrypted_with_the_customers_key(tables: Document) -> None:
    encryption = tables.only("aws_s3tables_table_bucket")["encryption_configuration"]

    assert encryption == {"sse_algorithm": "aws:kms", "kms_key_arn": key_arn(tables)}


def test_the_services_maintenance_is_let_through_the_key_for_this_table_bucket_only(tables: Document) -> None:
    """Without it not even a table can be made; without the condition it would reach every table bucket."""
    policy = json.loads(tables.only("aws_kms_key")["policy"])
    (statement,) = [each for each in policy["Statement"] if each["Sid"] == "MaintainAcmeGraph"]

    assert statement["Principal"] == {"Service": ["maintenance.s3tables.amazonaws.com"]}
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    (bucket,) = statement["Condition"]["StringLike"]["kms:EncryptionContext:aws:s3:arn"]
    assert bucket.endswith(":bucket/acme-graph/*")


def test_the_key_does_not_wait_for_the_table_bucket_that_waits_for_it(tables: Document) -> None:
    assert "aws_s3tables" not in tables.only("aws_kms_key")["policy"]


def test_a_table_bucket_denies_plain_http_other_keys_and_weaker_encryption(tables: Document) -> None:
    policy = tables.only("aws_s3tables_table_bucket_policy")["resource_policy"]
    create = "s3tables:CreateTable"

    assert denies(policy, "s3tables:GetTable", {"aws:SecureTransport": "false"})
    assert denies(policy, create, {**OVER_TLS, "s3tables:kmsKeyArn": "arn:aws:kms:eu-west-1:1:key/other"})
    assert denies(policy, create, {**OVER_TLS, "s3tables:sseAlgorithm": "AES256"})
    assert not denies(policy, create, OVER_TLS)
    assert not denies(
        policy, create, {**OVER_TLS, "s3tables:sseAlgorithm": "aws:kms", "s3tables:kmsKeyArn": key_arn(tables)}
    )


def test_a_workload_gets_this_table_bucket_and_its_key_and_nothing_else(tables: Document) -> None:
    statements = granted(tables)

    for statement in statements:
        assert all("*" not in action for action in statement["Action"])
        assert all(
            resource.startswith(("${aws_s3tables_table_bucket.", "${aws_kms_key."))
            for resource in statement["Resource"]
        )
    assert "s3tables:DeleteTableBucket" not in {action for statement in statements for action in statement["Action"]}


def test_the_namespace_exists_in_the_table_bucket(tables: Document) -> None:
    namespace = tables.only("aws_s3tables_namespace")

    assert namespace["namespace"] == "acme_graph"
    assert namespace["table_bucket_arn"].startswith("${aws_s3tables_table_bucket.")
    assert tables.outputs()["warehouse"]["value"] == namespace["table_bucket_arn"]


@settings(max_examples=15, deadline=None)
@given(name=st.from_regex(r"g(?:-?[a-z0-9]){2,38}", fullmatch=True).filter(lambda name: 3 <= len(name) <= 40))
def test_a_name_that_is_accepted_fits_the_table_bucket_and_the_namespace(name: str) -> None:
    stack = CustomerStack()
    S3TablesCatalog(stack, "Catalog", CatalogSpec(name=name), key=stack.key)

    synthesis = stack.document()

    assert 3 <= len(synthesis.only("aws_s3tables_table_bucket")["name"]) <= 63
    namespace = synthesis.only("aws_s3tables_namespace")["namespace"]
    assert namespace.replace("_", "a").isalnum()
    assert namespace[0].isalnum()
    assert namespace[-1].isalnum()


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("name", CatalogSpec(name="ab")),
        ("name", CatalogSpec(name="aws-graph")),
        ("name", CatalogSpec(name="sthree-graph")),
        ("namespace", CatalogSpec(name="acme-graph", namespace="aws_s3_metadata")),
        ("namespace", CatalogSpec(name="acme-graph", namespace="kg")),
    ],
)
def test_a_name_that_table_buckets_do_not_take_is_refused(field: str, spec: CatalogSpec) -> None:
    stack = CustomerStack()

    with pytest.raises(InvalidSpecError) as refused:
        S3TablesCatalog(stack, "Catalog", spec, key=stack.key)

    assert refused.value.field == field
