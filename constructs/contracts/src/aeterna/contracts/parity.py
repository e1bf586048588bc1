"""What a cloud promises: each capability of a foundation, present with its evidence, or declared unsupported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Capability(StrEnum):
    """Something a platform team asks of a foundation; the value is the sentence of the parity table."""

    STATE_STORE = "state bucket: versioned, locked, under the customer's key"
    STATE_ENCRYPTION = "state and plans encrypted before they leave the machine"
    NETWORK_PRIVATE = "private subnets in every zone, nothing reachable from the internet"
    NETWORK_EGRESS = "a way out in every zone, with addresses for an allow-list"
    NETWORK_ENDPOINTS = "private ways to the cloud's services, with private DNS"
    NETWORK_FLOW_LOGS = "flow logs"
    KEY_PURPOSES = "one key for each purpose, rotated"
    KEY_GRANTS = "each use of a key granted for one service or one workload"
    CLUSTER_PRIVATE = "Kubernetes with a private API"
    CLUSTER_SECRETS = "Kubernetes secrets under the customer's key"
    CLUSTER_DISKS = "node disks under the customer's key"
    CLUSTER_LOGS = "control plane logs under the customer's key"
    CLUSTER_AUTOSCALING = "node pools that grow and shrink"
    CLUSTER_ADMINS = "administrators by name, no shared credential"
    CLUSTER_BREAK_GLASS = "an emergency role"
    WORKLOAD_IDENTITY = "an identity for exactly one service account, without a static credential"
    DATABASE_HA = "PostgreSQL with a synchronous standby in another zone"
    DATABASE_LOGIN = "database logins by identity"
    DATABASE_TLS = "plain connections to the database refused"
    DATABASE_KEY = "database under the customer's key"
    DATABASE_PITR = "point-in-time recovery"
    DATABASE_LOGS = "database logs exported"
    DATABASE_VECTOR = "the extension vector"
    CACHE_HA = "Valkey or Redis with a copy in another zone"
    CACHE_LOGIN = "cache logins by identity"
    CACHE_TLS = "plain connections to the cache refused"
    CACHE_KEY = "cache under the customer's key"
    BUCKET_VERSIONS = "overwritten and deleted objects can be brought back"
    BUCKET_KEY = "objects under the customer's key"
    BUCKET_PRIVATE = "nothing in a bucket can be made public"
    BUCKET_TLS = "plain connections to a bucket refused"
    CATALOG = "an Iceberg catalog that speaks the REST protocol"
    REGISTRY = "image registry under the customer's key, scanned, with tags that stay"
    BACKUP_VAULT = "backups in a locked vault apart from the stores"
    BACKUP_SIX_HOURS = "backups every six hours"
    ALERTS = "alarms on cluster and stores"
    RECOVERY_DATABASE = "database replica in a second region, under a key of that region"
    RECOVERY_BUCKET = "objects copied to a second region, under a key of that region"
    RECOVERY_BACKUP = "backups copied to a second region, under a key of that region"
    DELETION_PROTECTION = "stores that refuse to be deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Supported:
    """The capability is there; ``evidence`` are Terraform types that a critical foundation then has."""

    evidence: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsupported:
    """The capability is not there; ``reason`` says why and what stands in for it."""

    reason: str


Support: TypeAlias = Supported | Unsupported
Parity: TypeAlias = Mapping[Capability, Support]
"""Every capability, once."""
