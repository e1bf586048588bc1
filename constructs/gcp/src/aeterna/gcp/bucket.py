"""A bucket of Cloud Storage that takes objects only under the customer's key, and forgets nothing by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.bucket import BucketOutputs
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.gcp.key_uses import User, used_by
from aeterna.gcp.l1.storage_bucket import GoogleStorageBucket
from aeterna.gcp.l1.storage_bucket_iam_member import GoogleStorageBucketIamMember
from aeterna.gcp.waiting import settled
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.bucket import BucketSpec
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.l1.storage_bucket import (
        GoogleStorageBucketEncryptionBlock,
        GoogleStorageBucketLifecycleRuleBlock,
    )
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

RESERVED_BEGINNING = "goog"
RESERVED_PARTS = ("google", "g00gle")
"""Cloud Storage documentation, "Bucket names"."""

SECONDS_A_DAY = 86400
SHORTEST_SOFT_DELETE = 7
READ_WRITE = "roles/storage.objectUser"
ADD = "roles/storage.objectCreator"
ACCESS_LOGS = "group:cloud-storage-analytics@google.com"
"""As whom Cloud Storage delivers records of requests."""


@names_itself
class GcsBucket(Construct):
    """A private, versioned bucket in the place's region.

    Nothing in it can be made public, access is by IAM alone, and an object is only taken under a key of Cloud KMS, by
    default this one. A version that is deleted for good, which any workload that may delete objects can do, can still
    be brought back for a week.
    """

    def __init__(self, scope: Construct, id_: str, spec: BucketSpec, *, place: GcpPlace, key: GcpKey) -> None:
        super().__init__(scope, id_)
        require_bucket(spec)
        key.require_at("BucketSpec", place.region)
        self.region = place.region
        log = spec.access_log_bucket
        if log is not None:
            BucketGrant(self, "LogGrant", bucket=Late(log), member=ACCESS_LOGS, roles=[ADD])
        self._bucket = GoogleStorageBucket(
            self,
            "Resource",
            name=spec.name,
            location=place.region.upper(),
            storage_class="STANDARD",
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning={"enabled": True},
            soft_delete_policy={"retention_duration_seconds": SHORTEST_SOFT_DELETE * SECONDS_A_DAY},
            encryption=under(key),
            lifecycle_rule=_forgetting(spec),
            logging=None if log is None else {"log_bucket": log, "log_object_prefix": spec.name},
            force_destroy=not spec.protected,
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
            depends_on=[used_by(User.STORAGE, key=key, place=place)],
        )
        self.outputs = BucketOutputs(
            name=Late(self._bucket.name), uri=Late(self._bucket.url), objects=Late(self._bucket.url)
        )

    @property
    def name(self) -> Late:
        """Return the bucket's name."""
        return self.outputs.name

    def grant(
        self, scope: Construct, id_: str, member: str, *roles: str, after: Sequence[ITerraformDependable] = ()
    ) -> Sequence[ITerraformDependable]:
        """Give one member these roles on this bucket, below the scope, and return what waits until it has them."""
        return BucketGrant(scope, id_, bucket=self.name, member=member, roles=roles, after=after).ready

    def grant_to(self, scope: Construct, id_: str, *, email: Late) -> Sequence[ITerraformDependable]:
        """Let an account read, write and delete objects. It needs no right on the key: Cloud Storage has that."""
        return self.grant(scope, id_, f"serviceAccount:{email}", READ_WRITE)


class BucketGrant(Construct):
    """Roles of one member on one bucket. ``after`` is what has to be there before the member can be granted any."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        bucket: Late,
        member: str,
        roles: Sequence[str],
        after: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id_)
        granted = [
            GoogleStorageBucketIamMember(
                self, role.rpartition(".")[2], bucket=bucket, role=role, member=member, depends_on=after
            )
            for role in roles
        ]
        self.ready: tuple[ITerraformDependable, ...] = (settled(self, "Known", after=granted),)


def require_bucket(spec: BucketSpec) -> None:
    """Refuse a name that Cloud Storage keeps for Google."""
    name = spec.name
    if name.startswith(RESERVED_BEGINNING) or any(part in name for part in RESERVED_PARTS):
        problem = f"{name!r} begins with {RESERVED_BEGINNING!r} or looks like Google's own name"
        raise InvalidSpecError("BucketSpec", "name", problem, "choose another name")


def under(key: GcpKey) -> GoogleStorageBucketEncryptionBlock:
    """Return the encryption of a bucket: this key by default, and no object under Google's keys or a caller's own."""
    return {
        "default_kms_key_name": key.id,
        "google_managed_encryption_enforcement_config": {"restriction_mode": "FullyRestricted"},
        "customer_supplied_encryption_enforcement_config": {"restriction_mode": "FullyRestricted"},
        "customer_managed_encryption_enforcement_config": {"restriction_mode": "NotRestricted"},
    }


def _forgetting(spec: BucketSpec) -> list[GoogleStorageBucketLifecycleRuleBlock]:
    return [
        {
            "action": {"type": "Delete"},
            "condition": {"days_since_noncurrent_time": spec.noncurrent_days, "with_state": "ARCHIVED"},
        },
        {
            "action": {"type": "AbortIncompleteMultipartUpload"},
            "condition": {"age": spec.abort_multipart_days},
        },
    ]
