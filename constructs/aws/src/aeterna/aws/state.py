"""Where a stack's state is kept on AWS: a bucket with S3's own locking, under the customer's key twice over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.bucket import S3Bucket
from aeterna.aws.regions import require_region
from aeterna.contracts.bucket import BucketSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.state import StateStoreOutputs
from aeterna.synth.app import TerraformStack
from aeterna.synth.backends import S3Backend
from aeterna.synth.encryption import StateKey, encrypt_state
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.aws.keys import AwsKey
    from aeterna.contracts.state import StateSpec, StateStoreSpec

KEY_ARN = re.compile(r"arn:aws:kms:[a-z0-9-]+:\d{12}:(?:key|alias)/.+")


def keep_state(scope: Construct, spec: StateSpec, *, region: str) -> None:
    """Keep the state of the scope's stack in the bucket, under ``path/<stack>.tfstate``.

    The lock is an object beside it (OpenTofu 1.10, Terraform 1.11), so that no lock table is needed. With a key, S3
    encrypts the object under it and OpenTofu has encrypted its content under it before. Without one, the bucket's own
    encryption is all there is.
    """
    where = spec.region or region
    require_region("StateSpec", "region", where)
    stack = TerraformStack.of(scope)
    S3Backend(
        stack,
        bucket=spec.bucket,
        key=f"{spec.path}/{stack.node.id}.tfstate",
        region=where,
        # Asked to encrypt without a key, S3 would take its own rather than the bucket's, which such a bucket refuses.
        encrypt=True if spec.key is not None else None,
        kms_key_id=_checked(spec.key),
    )
    stack.add_override("terraform.backend.s3.use_lockfile", value=True)
    if spec.key is not None:
        settings = {"kms_key_id": spec.key, "key_spec": "AES_256", "region": where}
        encrypt_state(stack, StateKey(provider="aws_kms", settings=settings))


@names_itself
class StateStore(Construct):
    """A bucket for states, as any other of ours: versioned, private, and for nothing but TLS and the key.

    A state that names a key (`StateSpec.key`) names this one, by the ARN of the outputs, or the bucket refuses it.
    """

    def __init__(self, scope: Construct, id_: str, spec: StateStoreSpec, *, key: AwsKey) -> None:
        super().__init__(scope, id_)
        bucket = BucketSpec(name=spec.name, noncurrent_days=spec.noncurrent_days, protected=spec.protected)
        made = S3Bucket(self, "Bucket", bucket, key=key)
        self.outputs = StateStoreOutputs(bucket=made.outputs.name, key=key.outputs.key_id)


def _checked(key: str | None) -> str | None:
    if key is not None and not KEY_ARN.fullmatch(key):
        raise InvalidSpecError("StateSpec", "key", f"{key!r} is not the ARN of a KMS key", "write the key's full ARN")
    return key
