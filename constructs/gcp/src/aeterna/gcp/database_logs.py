"""Keeps the logs of a database server under the customer's key, for as long as the spec says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.gcp.log_bucket import LogBucket

if TYPE_CHECKING:
    from constructs import Construct

    from aeterna.contracts.database import DatabaseSpec
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.place import GcpPlace


def database_logs(
    scope: Construct, id_: str, spec: DatabaseSpec, *, name: str, server: str, place: GcpPlace, key: GcpKey
) -> LogBucket:
    """Return the bucket of the logs of one server, primary or copy; ``server`` is its full name."""
    return LogBucket(
        scope,
        id_,
        name=f"{name}-postgres",
        wanted=f'resource.type="cloudsql_database" AND resource.labels.database_id="{place.project}:{server}"',
        days=spec.log_days,
        asked=("DatabaseSpec", "log_days"),
        place=place,
        key=key,
    )
