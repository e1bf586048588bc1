"""An object store for the graph's files: its spec, and what a deployed one tells."""

from __future__ import annotations

from dataclasses import dataclass

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between, require_name

SHORTEST_NAME = 3
LONGEST_BUCKET_NAME = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSpec:
    """A private, versioned bucket that takes objects only over TLS and only under the customer's key.

    - ``name`` is the bucket's, unique in the whole cloud. Changing it makes a new, empty bucket.
    - ``noncurrent_days`` is how long an overwritten or deleted object can still be brought back. Default: 30. An
      erasure that must take effect at once removes the versions as well.
    - ``abort_multipart_days`` frees what an interrupted upload left behind. Default: 7.
    - ``access_log_bucket`` names an existing bucket that receives a record of every request. Default: none.
    - ``protected`` refuses to delete the bucket while anything is in it. Default: on.
    """

    name: str
    noncurrent_days: int = 30
    abort_multipart_days: int = 7
    access_log_bucket: str | None = None
    protected: bool = True

    def __post_init__(self) -> None:
        """Refuse what no cloud could deploy."""
        kind = type(self).__name__
        require_bucket_name(kind, "name", self.name)
        require_between(kind, "noncurrent_days", self.noncurrent_days, (1, 3653), "days")
        require_between(kind, "abort_multipart_days", self.abort_multipart_days, (1, 365), "days")
        if self.access_log_bucket is not None:
            if self.access_log_bucket == self.name:
                problem = "a bucket that logs into itself grows for ever"
                raise InvalidSpecError(kind, "access_log_bucket", problem, "name another bucket")
            require_bucket_name(kind, "access_log_bucket", self.access_log_bucket)


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketOutputs:
    """A deployed bucket."""

    name: Late
    uri: Late
    """The address that Iceberg clients take, scheme included and without a slash at the end: ``scheme://bucket``."""
    objects: Late | None = None
    """The address that object stores' own clients take, as the thread store does, without a slash at the end. None
    where it was deployed before this was said."""


def require_bucket_name(spec: str, field: str, value: str) -> None:
    """Refuse a bucket name that is too short, too long, or not plain lower-case words joined by hyphens."""
    require_name(spec, field, value, longest=LONGEST_BUCKET_NAME)
    if len(value) < SHORTEST_NAME:
        problem = f"{value!r} has {len(value)} characters"
        raise InvalidSpecError(spec, field, problem, f"use at least {SHORTEST_NAME} characters")
