"""Copies in a second region: what a deployed set of them tells. Their specs are those of what is copied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aeterna.contracts.backup import BackupOutputs
from aeterna.contracts.bucket import BucketOutputs
from aeterna.contracts.keys import KeyOutputs
from aeterna.contracts.late import Late


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaOutputs:
    """A read-only copy of a database in another region, a few seconds behind, that can be promoted."""

    host: Late
    port: Late


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryOutputs:
    """What stands in the second region, each under a key of that region."""

    region: Late
    network_id: Late
    database: ReplicaOutputs
    bucket: BucketOutputs
    backup: BackupOutputs | None
    """None where the foundation has no vault of its own."""
    keys: Mapping[str, KeyOutputs]
    """By purpose."""
    thread_bucket: BucketOutputs | None = None
    """The copies of the thread store's large parts."""
