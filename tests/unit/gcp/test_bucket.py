"""What a bucket on Google Cloud is, and how its objects get to a second region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.gcp.bucket import GcsBucket
from aeterna.gcp.bucket_replica import GcsBucketReplica
from fixtures.gcp_ground import GroundStack
from fixtures.resource_graph import graph_of, needed_by

if TYPE_CHECKING:
    from aeterna.synth.testing import Document, Json


def alone(spec: BucketSpec) -> Document:
    stack = GroundStack()
    GcsBucket(stack, "Bucket", spec, place=stack.place, key=stack.key)
    return stack.document()


@pytest.fixture(scope="module")
def synthesis() -> Document:
    return alone(BucketSpec(name="acme-graph"))


@pytest.fixture(scope="module")
def bucket(synthesis: Document) -> Json:
    return synthesis.only("google_storage_bucket")


@pytest.fixture(scope="module")
def second_region() -> Document:
    first = GroundStack("first")
    source = GcsBucket(first, "Bucket", BucketSpec(name="acme-graph"), place=first.place, key=first.key)
    second = GroundStack("second", region="europe-west1", app=first.app)
    GcsBucketReplica(
        second, "Copy", BucketSpec(name="acme-graph-copy"), source=source, place=second.place, key=second.key
    )
    return second.document()


def test_nothing_in_the_bucket_can_be_made_public(bucket: Json) -> None:
    assert bucket["public_access_prevention"] == "enforced"
    assert bucket["uniform_bucket_level_access"] is True


def test_an_object_is_taken_under_a_key_of_the_customers_alone(bucket: Json) -> None:
    """A default key is only a default: a caller could still name Google's keys, or send one along."""
    encryption = bucket["encryption"]

    assert encryption["default_kms_key_name"].startswith("${google_kms_crypto_key.")
    assert encryption["google_managed_encryption_enforcement_config"]["restriction_mode"] == "FullyRestricted"
    assert encryption["customer_supplied_encryption_enforcement_config"]["restriction_mode"] == "FullyRestricted"


def test_cloud_storage_may_use_the_key_before_the_bucket_is_made(synthesis: Document) -> None:
    """Without the grant, making a bucket under the key fails with 403; the account exists once it was asked for."""
    (address,) = (f"google_storage_bucket.{name}" for name in synthesis.resources("google_storage_bucket"))

    needed = needed_by(graph_of(synthesis), address)

    assert any(each.startswith("google_kms_crypto_key_iam_member.") for each in needed)
    assert any(each.startswith("data.google_storage_project_service_account.") for each in needed)


def test_what_is_overwritten_or_deleted_can_be_brought_back(bucket: Json) -> None:
    """Whoever may delete an object may delete its versions as well, so that these are kept for a week more."""
    forget, _ = bucket["lifecycle_rule"]

    assert bucket["versioning"]["enabled"] is True
    assert bucket["soft_delete_policy"]["retention_duration_seconds"] == 7 * 86400
    assert forget["condition"] == {"days_since_noncurrent_time": 30, "with_state": "ARCHIVED"}


def test_what_an_interrupted_upload_left_is_freed(bucket: Json) -> None:
    _, abort = bucket["lifecycle_rule"]

    assert (abort["action"]["type"], abort["condition"]["age"]) == ("AbortIncompleteMultipartUpload", 7)


def test_a_protected_bucket_refuses_to_be_deleted_and_to_be_emptied(bucket: Json) -> None:
    assert bucket["force_destroy"] is False
    assert bucket["lifecycle"]["prevent_destroy"] is True


def test_the_service_that_records_requests_may_write_to_the_bucket_for_them() -> None:
    """Without the grant nothing is ever delivered, and nothing says so."""
    document = alone(BucketSpec(name="acme-graph", access_log_bucket="acme-logs"))

    (grant,) = document.resources("google_storage_bucket_iam_member").values()

    assert document.only("google_storage_bucket")["logging"]["log_bucket"] == "acme-logs"
    assert (grant["bucket"], grant["role"]) == ("acme-logs", "roles/storage.objectCreator")


@pytest.mark.parametrize("name", ["goog-data", "my-google-data", "g00gle"])
def test_a_name_that_looks_like_googles_is_refused(name: str) -> None:
    with pytest.raises(InvalidSpecError, match="Google"):
        alone(BucketSpec(name=name))


def test_a_workload_gets_objects_and_neither_the_bucket_nor_the_key() -> None:
    stack = GroundStack()
    bucket = GcsBucket(stack, "Bucket", BucketSpec(name="acme-graph"), place=stack.place, key=stack.key)
    ready = bucket.grant_to(stack, "Use", email=Late("graph-api@acme.iam.gserviceaccount.com"))
    document = stack.document()

    granted = [each["role"] for each in document.resources("google_storage_bucket_iam_member").values()]
    keys = [each["member"] for each in document.resources("google_kms_crypto_key_iam_member").values()]

    assert granted == ["roles/storage.objectUser"]
    assert not any("graph-api" in member for member in keys)
    assert ready


def test_the_copy_is_in_the_second_region_under_a_key_of_that_region(second_region: Document) -> None:
    copy = second_region.only("google_storage_bucket")
    (ring,) = second_region.resources("google_kms_key_ring").values()

    assert copy["location"] == "EUROPE-WEST1"
    assert ring["location"] == "europe-west1"
    assert copy["encryption"]["default_kms_key_name"].startswith("${google_kms_crypto_key.")


def test_every_new_object_is_copied_and_once_a_day_what_was_there_before(second_region: Document) -> None:
    """A replication copies nothing that was there before it, and what it misses it never looks at again."""
    each, daily = sorted(
        second_region.resources("google_storage_transfer_job").values(), key=lambda job: "schedule" in job
    )

    assert each["replication_spec"]["gcs_data_sink"]["bucket_name"].startswith("${google_storage_bucket.")
    assert daily["schedule"]["repeat_interval"] == "86400s"
    assert daily["transfer_spec"]["transfer_options"]["overwrite_when"] == "DIFFERENT"


def test_losing_the_first_bucket_does_not_empty_the_copy(second_region: Document) -> None:
    for job in second_region.resources("google_storage_transfer_job").values():
        options = job.get("transfer_spec", {}).get("transfer_options", {})

        assert not options.get("delete_objects_unique_in_sink")
        assert not options.get("delete_objects_from_source_after_transfer")


def test_whoever_copies_may_do_so_between_these_two_buckets_alone(second_region: Document) -> None:
    granted = second_region.resources("google_storage_bucket_iam_member").values()
    project_wide = {each["role"] for each in second_region.resources("google_project_iam_member").values()}

    assert all("storage_transfer_project_service_account" in each["member"] for each in granted)
    assert project_wide == {"roles/pubsub.editor", "roles/pubsub.publisher"}
