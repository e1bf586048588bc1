"""A bucket that refuses to delete for a time: where backups are kept, apart from what they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.late import Late
from aeterna.gcp.bucket import BucketGrant, under
from aeterna.gcp.key_uses import User, used_by
from aeterna.gcp.l1.storage_bucket import GoogleStorageBucket
from aeterna.gcp.suffixes import unused_suffix
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.backup import BackupSpec
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

SECONDS_A_DAY = 86400
SOFT_DELETE_DAYS = (7, 90)
"""The least and the most that Cloud Storage takes."""

EXPORTS = "databases/"
"""Below it every object is a backup of its own, and expires by its age."""

MIRRORS = "buckets/"
"""Below it stands what a bucket has, and goes when the bucket has it no more."""


@names_itself
class GcsVault(Construct):
    """A bucket in which an object can be neither replaced nor deleted before it is ``keep_days`` old.

    An administrator of the bucket can take that lock off. One that nobody can take off is a decision for good: make it
    with `inside`, by ``is_locked`` in the ``retention_policy``. What is deleted later can be brought back for as long
    again. There are no versions, which Cloud Storage does not keep beside such a lock: nothing is ever overwritten.
    """

    def __init__(self, scope: Construct, id_: str, spec: BackupSpec, *, place: GcpPlace, key: GcpKey) -> None:
        super().__init__(scope, id_)
        key.require_at("BackupSpec", place.region)
        least, most = SOFT_DELETE_DAYS
        soft_delete = min(max(spec.keep_days, least), most)
        bucket = GoogleStorageBucket(
            self,
            "Resource",
            name=f"{spec.name}-{unused_suffix(self, 'Suffix')}",
            location=place.region.upper(),
            storage_class="STANDARD",
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            retention_policy={"retention_period": str(spec.keep_days * SECONDS_A_DAY)},
            soft_delete_policy={"retention_duration_seconds": soft_delete * SECONDS_A_DAY},
            encryption=under(key),
            lifecycle_rule=[
                {
                    "action": {"type": "Delete"},
                    "condition": {"age": spec.keep_days, "matches_prefix": [EXPORTS]},
                }
            ],
            force_destroy=False,
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
            depends_on=[used_by(User.STORAGE, key=key, place=place)],
        )
        self.name = Late(bucket.name)
        self.url = Late(bucket.url)

    def grant(self, scope: Construct, id_: str, member: str, *roles: str) -> Sequence[ITerraformDependable]:
        """Give one member these roles on the vault, below the scope, and return what waits until it has them."""
        return BucketGrant(scope, id_, bucket=self.name, member=member, roles=roles).ready
