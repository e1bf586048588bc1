"""What an S3 bucket is, read from what Terraform would be given, and what its policy decides."""

from __future__ import annotations

import json

import pytest

from aeterna.aws.bucket import S3Bucket
from aeterna.aws.policy_document import document
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.synth.app import TerraformOutput
from aeterna.synth.testing import Document, synthesized
from fixtures.customer_stack import CustomerStack
from fixtures.iam_simulation import Request, allowed_actions, denies

SSE = "s3:x-amz-server-side-encryption"
SSE_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"
OVER_TLS: Request = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}


@pytest.fixture(scope="module")
def stack() -> CustomerStack:
    return CustomerStack()


@pytest.fixture(scope="module")
def bucket(stack: CustomerStack) -> S3Bucket:
    return S3Bucket(stack, "Graph", BucketSpec(name="acme-graph"), key=stack.key)


@pytest.fixture(scope="module")
def synthesis(stack: CustomerStack, bucket: S3Bucket) -> Document:
    TerraformOutput(stack, "uri", value=bucket.outputs.uri)
    TerraformOutput(stack, "access", value=document(bucket.access()))
    return synthesized(stack)


@pytest.fixture(scope="module")
def policy(synthesis: Document) -> str:
    return synthesis.only("aws_s3_bucket_policy")["policy"]


@pytest.fixture(scope="module")
def key(synthesis: Document) -> str:
    (name,) = synthesis.resources("aws_kms_key")
    return f"${{aws_kms_key.{name}.arn}}"


def alone(spec: BucketSpec) -> Document:
    stack = CustomerStack()
    S3Bucket(stack, "Graph", spec, key=stack.key)
    return stack.document()


def test_objects_are_encrypted_under_the_key_with_one_data_key_for_many(synthesis: Document, key: str) -> None:
    (rule,) = synthesis.only("aws_s3_bucket_server_side_encryption_configuration")["rule"]

    assert rule["apply_server_side_encryption_by_default"] == {"sse_algorithm": "aws:kms", "kms_master_key_id": key}
    assert rule["bucket_key_enabled"] is True
    assert rule["blocked_encryption_types"] == ["SSE-C"]


@pytest.mark.parametrize(
    ("request_", "context"),
    [
        ("over plain HTTP", {"aws:SecureTransport": "false"}),
        ("over TLS 1.1", {"aws:SecureTransport": "true", "s3:TlsVersion": "1.1"}),
    ],
)
def test_a_request_is_denied_when_it_comes(request_: str, context: Request, policy: str) -> None:
    assert denies(policy, "s3:GetObject", context), request_


@pytest.mark.parametrize(
    ("upload", "headers"),
    [
        ("with the keys of S3", {SSE: "AES256"}),
        ("with dual-layer encryption under some key", {SSE: "aws:kms:dsse", SSE_KEY: "arn:aws:kms:x:1:key/other"}),
        ("with another key", {SSE: "aws:kms", SSE_KEY: "arn:aws:kms:eu-west-1:1:key/other"}),
        ("with the key that AWS manages, by naming none", {SSE: "aws:kms"}),
    ],
)
def test_an_upload_is_denied_when_it_is_encrypted(upload: str, headers: Request, policy: str) -> None:
    assert denies(policy, "s3:PutObject", {**OVER_TLS, **headers}), upload


def test_an_upload_that_leaves_encryption_to_the_bucket_or_names_its_key_is_not_denied(policy: str, key: str) -> None:
    """A negated condition also holds where the header is absent: a naive policy would deny every plain upload."""
    assert not denies(policy, "s3:PutObject", OVER_TLS)
    assert not denies(policy, "s3:PutObject", {**OVER_TLS, SSE: "aws:kms", SSE_KEY: key})


def test_the_policy_binds_everyone_and_covers_the_bucket_and_its_objects(policy: str) -> None:
    statements = json.loads(policy)["Statement"]

    assert {statement["Principal"] for statement in statements} == {"*"}
    assert {statement["Effect"] for statement in statements} == {"Deny"}
    assert len(statements[0]["Resource"]) == 2


def test_nothing_public_and_no_access_list_can_be_put_on_the_bucket(synthesis: Document) -> None:
    block = synthesis.only("aws_s3_bucket_public_access_block")
    flags = {"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"}

    assert all(block[flag] is True for flag in flags)
    assert synthesis.only("aws_s3_bucket_ownership_controls")["rule"] == {"object_ownership": "BucketOwnerEnforced"}


def test_versions_are_kept_for_a_while_and_leftovers_of_uploads_are_freed(synthesis: Document) -> None:
    (rule,) = synthesis.only("aws_s3_bucket_lifecycle_configuration")["rule"]

    assert synthesis.only("aws_s3_bucket_versioning")["versioning_configuration"] == {"status": "Enabled"}
    assert rule["noncurrent_version_expiration"] == [{"noncurrent_days": 30}]
    assert rule["abort_incomplete_multipart_upload"] == [{"days_after_initiation": 7}]
    assert "days" not in rule["expiration"][0]


def test_versions_expire_only_once_versioning_is_on(synthesis: Document) -> None:
    (versioning,) = synthesis.resources("aws_s3_bucket_versioning")

    assert synthesis.only("aws_s3_bucket_lifecycle_configuration")["depends_on"] == [
        f"aws_s3_bucket_versioning.{versioning}"
    ]


def test_a_bucket_that_holds_something_is_not_deleted_unless_asked(synthesis: Document) -> None:
    assert synthesis.only("aws_s3_bucket")["force_destroy"] is False
    assert alone(BucketSpec(name="acme-scratch", protected=False)).only("aws_s3_bucket")["force_destroy"] is True


def test_requests_are_recorded_in_the_bucket_that_is_named_and_nowhere_by_default(synthesis: Document) -> None:
    logging = alone(BucketSpec(name="acme-graph", access_log_bucket="acme-logs")).only("aws_s3_bucket_logging")

    assert (logging["target_bucket"], logging["target_prefix"]) == ("acme-logs", "acme-graph/")
    assert not synthesis.resources("aws_s3_bucket_logging")


def test_a_workload_reads_and_writes_this_buckets_objects_and_uses_the_key_only_through_s3(
    synthesis: Document, key: str
) -> None:
    listing, objects, use = json.loads(synthesis.outputs()["access"]["value"])["Statement"]
    (name,) = synthesis.resources("aws_s3_bucket")

    assert listing["Resource"] == [f"${{aws_s3_bucket.{name}.arn}}"]
    assert objects["Resource"] == [f"${{aws_s3_bucket.{name}.arn}}/*"]
    assert use["Resource"] == [key]
    assert use["Condition"]["StringEquals"]["kms:ViaService"][0].startswith("s3.")


def test_only_erasure_removes_versions_for_ever(bucket: S3Bucket) -> None:
    assert "s3:DeleteObjectVersion" not in allowed_actions(bucket.access())
    assert "s3:DeleteObjectVersion" in allowed_actions(bucket.erase_statements())


def test_a_reader_can_change_nothing(bucket: S3Bucket) -> None:
    verbs = {action.partition(":")[2] for action in allowed_actions(bucket.read_statements())}

    assert all(verb.startswith(("Get", "List", "Decrypt")) for verb in verbs)


def test_grants_of_two_buckets_fit_into_one_policy() -> None:
    stack = CustomerStack()
    graph = S3Bucket(stack, "Graph", BucketSpec(name="acme-graph"), key=stack.key)
    exports = S3Bucket(stack, "Exports", BucketSpec(name="acme-exports"), key=stack.key)

    policy = json.loads(document((*graph.access(), *exports.access())))

    assert len(policy["Statement"]) == 6


def test_the_address_is_the_one_that_iceberg_clients_take(synthesis: Document) -> None:
    """Not an ARN here and an endpoint there: the scheme is part of it on every cloud."""
    (name,) = synthesis.resources("aws_s3_bucket")

    assert synthesis.outputs()["uri"]["value"] == f"s3://${{aws_s3_bucket.{name}.bucket}}"


@pytest.mark.parametrize("name", ["sthree-graph", "amzn-s3-demo-graph", "graph-s3alias", "graph-111122223333-eu-an"])
def test_a_name_that_s3_keeps_for_itself_is_refused(name: str) -> None:
    with pytest.raises(InvalidSpecError) as refused:
        alone(BucketSpec(name=name))

    assert refused.value.field == "name"
