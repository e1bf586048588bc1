"""Where states are kept on Google Cloud."""

from __future__ import annotations

import pytest

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.state import StateSpec, StateStoreSpec
from aeterna.gcp.state import GcsStateStore, keep_state
from aeterna.synth.app import TerraformOutput
from aeterna.synth.lowering import lower
from fixtures.gcp_ground import GroundStack

KEY = "projects/acme/locations/europe-west4/keyRings/prod-0a1b2c/cryptoKeys/state"


def test_a_state_is_encrypted_before_it_leaves_and_again_where_it_is_kept() -> None:
    """Whoever can read the bucket still cannot read the state."""
    stack = GroundStack("network")
    keep_state(stack, StateSpec(bucket="acme-state", key=KEY), region="europe-west4")

    terraform = stack.document().json["terraform"]

    backend = {"bucket": "acme-state", "prefix": "aeterna/network", "kms_encryption_key": KEY}
    provider = {"kms_encryption_key": KEY, "key_length": 32}
    assert terraform["backend"]["gcs"] == backend
    assert terraform["encryption"]["key_provider"]["gcp_kms"]["state"] == provider
    assert terraform["encryption"]["state"]["enforced"] is True


def test_a_state_without_a_key_is_left_to_the_buckets_own_encryption() -> None:
    stack = GroundStack()
    keep_state(stack, StateSpec(bucket="acme-state"), region="europe-west4")

    terraform = stack.document().json["terraform"]

    assert "kms_encryption_key" not in terraform["backend"]["gcs"]
    assert "encryption" not in terraform


@pytest.mark.parametrize("key", ["state", f"{KEY}/cryptoKeyVersions/1", "arn:aws:kms:eu-west-1:1:key/2"])
def test_what_is_no_key_of_cloud_kms_is_refused(key: str) -> None:
    with pytest.raises(InvalidSpecError, match="cryptoKeys"):
        keep_state(GroundStack(), StateSpec(bucket="acme-state", key=key), region="europe-west4")


def test_a_key_that_is_not_where_the_bucket_is_is_refused() -> None:
    """Cloud Storage would refuse the first write, when everything is applied already."""
    with pytest.raises(InvalidSpecError, match="europe-west1"):
        keep_state(GroundStack(), StateSpec(bucket="acme-state", key=KEY), region="europe-west1")


def test_the_second_regions_state_is_kept_with_the_others() -> None:
    spec = StateSpec(bucket="acme-state", key=KEY, region="europe-west4")
    stack = GroundStack(region="europe-west1")

    keep_state(stack, spec, region="europe-west1")

    assert stack.document().json["terraform"]["backend"]["gcs"]["bucket"] == "acme-state"


def test_the_store_says_what_a_state_spec_takes() -> None:
    stack = GroundStack()
    store = GcsStateStore(stack, "Store", StateStoreSpec(name="acme-state"), place=stack.place, key=stack.key)
    TerraformOutput(stack, "state", value=lower(store.outputs, "state"))
    document = stack.document()

    told = document.outputs()["state"]["value"]

    assert told["bucket"].startswith("${google_storage_bucket.")
    assert told["key"].startswith("${google_kms_crypto_key.")
    assert document.only("google_storage_bucket")["versioning"]["enabled"] is True
