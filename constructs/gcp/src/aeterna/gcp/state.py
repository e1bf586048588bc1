"""Where a stack's state is kept on Google Cloud: a bucket that locks by itself, under the customer's key twice over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.state import StateStoreOutputs
from aeterna.gcp.bucket import GcsBucket
from aeterna.gcp.keys import KEY
from aeterna.gcp.regions import require_region
from aeterna.synth.app import TerraformStack
from aeterna.synth.backends import GcsBackend
from aeterna.synth.encryption import StateKey, encrypt_state
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.contracts.state import StateSpec, StateStoreSpec
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace

AES_256 = 32
"""Bytes."""


@names_itself
class GcsStateStore(Construct):
    """A bucket for states: what `StateSpec` names from the second apply on."""

    def __init__(self, scope: Construct, id_: str, spec: StateStoreSpec, *, place: GcpPlace, key: GcpKey) -> None:
        super().__init__(scope, id_)
        wanted = BucketSpec(name=spec.name, noncurrent_days=spec.noncurrent_days, protected=spec.protected)
        bucket = GcsBucket(self, "Bucket", wanted, place=place, key=key)
        self.outputs = StateStoreOutputs(bucket=bucket.name, key=key.id)


def keep_state(scope: Construct, spec: StateSpec, *, region: str) -> None:
    """Keep the state of the scope's stack in the bucket, under ``path/<stack>``.

    Cloud Storage locks it by itself. With a key, Cloud Storage encrypts the object under it, and OpenTofu has encrypted
    its content under it before.
    """
    where = spec.region or region
    require_region("StateSpec", "region", where)
    stack = TerraformStack.of(scope)
    key = _checked(spec.key, where)
    GcsBackend(stack, bucket=spec.bucket, prefix=f"{spec.path}/{stack.node.id}", kms_encryption_key=key)
    if key is not None:
        encrypt_state(stack, StateKey(provider="gcp_kms", settings={"kms_encryption_key": key, "key_length": AES_256}))


def _checked(key: str | None, region: str) -> str | None:
    if key is None:
        return None
    found = KEY.fullmatch(key)
    if found is None:
        remedy = "write projects/<project>/locations/<region>/keyRings/<ring>/cryptoKeys/<key>, without a version"
        raise InvalidSpecError("StateSpec", "key", f"{key!r} is not a key of Cloud KMS", remedy)
    if found["location"] != region:
        problem = f"the key is in {found['location']} and the bucket in {region}"
        raise InvalidSpecError("StateSpec", "key", problem, f"use a key in {region}, or say the bucket's region")
    return key
