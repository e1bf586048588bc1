"""What a customer's key on Google Cloud is, and who may use it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.keys import KeySpec
from aeterna.gcp.agents import Agent, service_agent
from aeterna.gcp.bucket import GcsBucket
from aeterna.gcp.keys import GcpKey
from aeterna.gcp.place import GcpPlace
from fixtures.gcp_ground import GroundStack
from fixtures.resource_graph import graph_of, needed_by

if TYPE_CHECKING:
    from aeterna.synth.testing import Document

OWN = "projects/acme/locations/europe-west4/keyRings/ours/cryptoKeys/graph"


def made(spec: KeySpec) -> Document:
    stack = GroundStack()
    GcpKey(stack, "Other", spec, place=stack.place)
    return stack.document()


def key(document: Document, name: str = "Other") -> dict[str, object]:
    (found,) = (each for id_, each in document.resources("google_kms_crypto_key").items() if id_.startswith(name))
    return found


def test_a_key_is_rotated_and_can_be_brought_back_for_as_long_as_the_spec_says() -> None:
    spec = KeySpec(purpose="graph", rotation=timedelta(days=90), grace=timedelta(days=14))

    found = key(made(spec))

    assert found["rotation_period"] == f"{90 * 86400}s"
    assert found["destroy_scheduled_duration"] == f"{14 * 86400}s"


def test_the_name_of_a_ring_is_never_taken_when_everything_is_made_anew() -> None:
    """Neither a ring nor a key's name in it can be used twice in the life of a project."""
    document = made(KeySpec(purpose="graph", environment="prod"))

    for ring in document.resources("google_kms_key_ring").values():
        assert "${random_id." in ring["name"]


def test_a_protected_key_and_its_ring_are_not_destroyed() -> None:
    document = made(KeySpec(purpose="graph"))

    for kind in ("google_kms_crypto_key", "google_kms_key_ring"):
        for each in document.resources(kind).values():
            assert each["lifecycle"]["prevent_destroy"] is True


def test_an_unprotected_key_can_be_destroyed() -> None:
    lifecycle = key(made(KeySpec(purpose="graph", protected=False)))["lifecycle"]

    assert lifecycle == {}


def test_administrators_may_change_the_key_and_not_use_it() -> None:
    document = made(KeySpec(purpose="graph", administrators=("group:security@example.com",)))

    granted = {each["member"]: each["role"] for each in document.resources("google_kms_crypto_key_iam_member").values()}

    assert granted == {"group:security@example.com": "roles/cloudkms.admin"}


@pytest.mark.parametrize("administrator", ["security@example.com", "allUsers", "domain:example.com", "user:"])
def test_an_administrator_is_one_named_principal(administrator: str) -> None:
    with pytest.raises(InvalidSpecError, match="principal"):
        made(KeySpec(purpose="graph", administrators=(administrator,)))


def test_a_grant_is_on_one_key_and_never_on_the_project() -> None:
    """Granted on the project, an account could decrypt whatever any key of it protects."""
    stack = GroundStack()
    stack.key.grant(stack, "Grant", service_agent(stack.place, Agent.GKE))
    document = stack.document()

    granted = list(document.resources("google_kms_crypto_key_iam_member").values())

    assert [each["role"] for each in granted] == ["roles/cloudkms.cryptoKeyEncrypterDecrypter"]
    assert granted[0]["crypto_key_id"].startswith("${google_kms_crypto_key.")
    assert not document.resources("google_project_iam_member")


def test_what_needs_a_grant_waits_until_it_is_known_everywhere() -> None:
    stack = GroundStack()
    GcsBucket(stack, "Bucket", BucketSpec(name="acme-graph"), place=stack.place, key=stack.key)
    document = stack.document()
    (bucket,) = (f"google_storage_bucket.{name}" for name in document.resources("google_storage_bucket"))

    needed = needed_by(graph_of(document), bucket)

    assert any(each.startswith("google_kms_crypto_key_iam_member.") for each in needed)
    assert any(each.startswith("time_sleep.") and "KeyGrant_Known" in each for each in needed)


def test_whoever_needs_a_key_of_another_stack_brings_the_grant_along() -> None:
    """A key's own stack is applied first: nothing in it may know of what comes later."""
    first = GroundStack("keys")
    second = GroundStack("stores", app=first.app)
    GcsBucket(second, "Bucket", BucketSpec(name="acme-graph"), place=second.place, key=first.key)

    assert second.document().resources("google_kms_crypto_key_iam_member")
    assert not first.document().resources("google_kms_crypto_key_iam_member")


def test_destroying_one_bucket_does_not_shut_another_one_out_of_its_key() -> None:
    """At Google's there is one grant: were it each bucket's own, the first to go would take it along."""
    stack = GroundStack()
    for name in ("graph", "archive"):
        GcsBucket(stack, name, BucketSpec(name=f"acme-{name}"), place=stack.place, key=stack.key)
    document = stack.document()

    (grant,) = document.resources("google_kms_crypto_key_iam_member")

    for bucket in document.resources("google_storage_bucket"):
        needed = needed_by(graph_of(document), f"google_storage_bucket.{bucket}")
        assert f"google_kms_crypto_key_iam_member.{grant}" in needed
    assert grant.startswith("Place_")


def test_a_key_of_another_region_is_refused() -> None:
    """No service encrypts with a key that is somewhere else, and says so only when it is applied."""
    stack = GroundStack()
    elsewhere = GcpPlace(stack, "Elsewhere", region="europe-west1")

    with pytest.raises(InvalidSpecError, match="europe-west1"):
        GcsBucket(stack, "Bucket", BucketSpec(name="acme-graph"), place=elsewhere, key=stack.key)


def test_a_key_that_the_customer_has_is_looked_up_where_its_name_says() -> None:
    stack = GroundStack()
    found = GcpKey.existing(stack, "Own", key_id=OWN)

    (data,) = stack.document().data("google_kms_crypto_key").values()

    assert found.location == "europe-west4"
    assert data == {"key_ring": "projects/acme/locations/europe-west4/keyRings/ours", "name": "graph"}


@pytest.mark.parametrize("key_id", ["graph", f"{OWN}/cryptoKeyVersions/1", "arn:aws:kms:eu-west-1:1:key/2"])
def test_what_is_no_key_of_cloud_kms_is_refused(key_id: str) -> None:
    """A version would never be rotated away from."""
    stack = GroundStack()

    with pytest.raises(InvalidSpecError, match="cryptoKeys"):
        GcpKey.existing(stack, "Own", key_id=key_id)


def test_keys_of_one_environment_and_purpose_can_stand_in_two_regions() -> None:
    stack = GroundStack()
    elsewhere = GcpPlace(stack, "Elsewhere", region="europe-west1")
    GcpKey(stack, "Second", KeySpec(purpose="stores"), place=elsewhere)

    rings = stack.document().resources("google_kms_key_ring").values()

    assert {ring["location"] for ring in rings} == {"europe-west4", "europe-west1"}
