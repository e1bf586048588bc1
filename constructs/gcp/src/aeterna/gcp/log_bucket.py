"""A bucket of Cloud Logging under the customer's key, and the only place where the logs that it takes are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.naming import require_between
from aeterna.gcp.key_uses import User, used_by
from aeterna.gcp.l1.logging_project_bucket_config import GoogleLoggingProjectBucketConfig
from aeterna.gcp.l1.logging_project_exclusion import GoogleLoggingProjectExclusion
from aeterna.gcp.l1.logging_project_sink import GoogleLoggingProjectSink
from aeterna.gcp.suffixes import unused_suffix

if TYPE_CHECKING:
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace

LONGEST_RETENTION = 3650


class LogBucket(Construct):
    """Keeps the log entries that match a filter for so many days, encrypted under the key.

    Without the exclusion the project's default bucket, which is not under the key, would keep a second copy. The name
    of a bucket stays taken for a week after it is gone, so that it ends in a suffix.

    ``asked`` is the spec and the field that say for how long, so that a refusal names what its reader wrote.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        wanted: str,
        days: int,
        asked: tuple[str, str],
        place: GcpPlace,
        key: GcpKey,
    ) -> None:
        super().__init__(scope, id_)
        spec, field = asked
        require_between(spec, field, days, (1, LONGEST_RETENTION), "days")
        key.require_at(spec, place.region)
        self.bucket = GoogleLoggingProjectBucketConfig(
            self,
            "Resource",
            project=place.project,
            location=place.region,
            bucket_id=f"{name}-{unused_suffix(self, 'Suffix')}",
            description=f"Logs of {name}",
            retention_days=days,
            cmek_settings={"kms_key_name": key.id},
            depends_on=[used_by(User.LOGGING, key=key, place=place)],
        )
        # A bucket of the same project needs no permission: Cloud Logging itself writes into it.
        sink = GoogleLoggingProjectSink(
            self,
            "Sink",
            name=name,
            description=f"Keeps the logs of {name} under the customer's key",
            destination=f"logging.googleapis.com/{self.bucket.id}",
            filter=wanted,
            unique_writer_identity=True,
        )
        GoogleLoggingProjectExclusion(
            self,
            "NotInDefault",
            name=name,
            description=f"The logs of {name} are kept in a bucket of their own",
            filter=wanted,
            depends_on=[sink],
        )
