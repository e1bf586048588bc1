"""Where states are kept on AWS, and that what a stack writes there is what the bucket takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.aws.cloud import AWS
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.state import StateSpec, StateStoreSpec
from aeterna.synth.app import TerraformOutput
from fixtures.customer_stack import CustomerStack

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"


@pytest.fixture(scope="module")
def store() -> Document:
    stack = CustomerStack()
    made = AWS.state_store(stack, "StateStore", StateStoreSpec(name="acme-prod-state"), key=stack.key)
    TerraformOutput(stack, "bucket", value=made.outputs.bucket)
    TerraformOutput(stack, "key", value=made.outputs.key)
    return stack.document()


def backend(spec: StateSpec) -> Json:
    stack = CustomerStack()
    AWS.keep_state(stack, spec, region="eu-west-1")
    return stack.document().json["terraform"]["backend"]["s3"]


def test_an_older_state_can_be_brought_back_for_a_year(store: Document) -> None:
    (rule,) = store.only("aws_s3_bucket_lifecycle_configuration")["rule"]

    assert store.only("aws_s3_bucket_versioning")["versioning_configuration"] == {"status": "Enabled"}
    assert rule["noncurrent_version_expiration"] == [{"noncurrent_days": 365}]


def test_states_cannot_be_deleted_with_their_bucket_by_mistake(store: Document) -> None:
    bucket = store.only("aws_s3_bucket")

    assert bucket["force_destroy"] is False
    assert bucket["lifecycle"]["prevent_destroy"] is True


def test_it_says_what_a_stack_has_to_know_to_keep_its_state_there(store: Document) -> None:
    (bucket,), (key,) = store.resources("aws_s3_bucket"), store.resources("aws_kms_key")

    assert store.outputs()["bucket"]["value"] == f"${{aws_s3_bucket.{bucket}.bucket}}"
    assert store.outputs()["key"]["value"] == f"${{aws_kms_key.{key}.arn}}"


def test_a_state_is_locked_by_s3_itself_and_needs_no_table() -> None:
    kept = backend(StateSpec(bucket="acme-prod-state"))

    assert kept["use_lockfile"] is True
    assert "dynamodb_table" not in kept


def test_a_state_without_a_key_is_left_to_the_buckets_own_encryption() -> None:
    """Asked to encrypt without a key S3 takes one of its own, which the bucket's policy refuses."""
    kept = backend(StateSpec(bucket="acme-prod-state"))

    assert not {"encrypt", "kms_key_id"} & kept.keys()


def test_a_state_with_a_key_is_under_it() -> None:
    kept = backend(StateSpec(bucket="acme-prod-state", key=KEY))

    assert (kept["encrypt"], kept["kms_key_id"]) == (True, KEY)


def test_what_is_not_the_arn_of_a_key_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="full ARN"):
        backend(StateSpec(bucket="acme-prod-state", key="1234"))
