"""The accounts as which Google's own services work in a project: whoever encrypts with a customer's key is one of them.

A service that is switched on does not always make its account at once, and this provider has no resource that does (the
one of that name is in another provider, cannot be destroyed and fails now and then). The guide lists the one command to
run for a new project.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from aeterna.gcp.l1.data_logging_project_cmek_settings import DataGoogleLoggingProjectCmekSettings
from aeterna.gcp.l1.data_storage_project_service_account import DataGoogleStorageProjectServiceAccount
from aeterna.gcp.l1.data_storage_transfer_project_service_account import (
    DataGoogleStorageTransferProjectServiceAccount,
)

if TYPE_CHECKING:
    from constructs import Construct

    from aeterna.gcp.place import GcpPlace


class Agent(StrEnum):
    """The domain of each service's account (IAM documentation, "Service agents")."""

    ARTIFACT_REGISTRY = "gcp-sa-artifactregistry"
    BACKUP_FOR_GKE = "gcp-sa-gkebackup"
    CLOUD_SQL = "gcp-sa-cloud-sql"
    COMPUTE_ENGINE = "compute-system"
    """Encrypts the disks of nodes."""
    GKE = "container-engine-robot"
    """Encrypts the secrets of a cluster."""
    MEMORYSTORE = "gcp-sa-memorystore"
    """Of Memorystore for Valkey."""
    MONITORING = "gcp-sa-monitoring-notification"
    PUBSUB = "gcp-sa-pubsub"
    REDIS = "cloud-redis"
    """Of Memorystore for Redis, and for Redis Cluster."""
    SECRET_MANAGER = "gcp-sa-secretmanager"  # noqa: S105 - the name of a service


def service_agent(place: GcpPlace, domain: str) -> str:
    """Return the member of policies that is a service's account in this project."""
    return f"serviceAccount:service-{place.number}@{domain}.iam.gserviceaccount.com"


def storage_agent(scope: Construct, id_: str, *, place: GcpPlace) -> str:
    """Return the account of Cloud Storage, which is made by asking for it."""
    asked = DataGoogleStorageProjectServiceAccount(
        scope, id_, project=place.project, depends_on=[place.service("storage")]
    )
    return asked.member


def logging_agent(scope: Construct, id_: str, *, place: GcpPlace) -> str:
    """Return the account that encrypts buckets of Cloud Logging, which is made by asking for it."""
    asked = DataGoogleLoggingProjectCmekSettings(
        scope, id_, project=place.project, depends_on=[place.service("logging")]
    )
    return f"serviceAccount:{asked.service_account_id}"


def transfer_agent(scope: Construct, id_: str, *, place: GcpPlace) -> str:
    """Return the account of Storage Transfer Service, which is made by asking for it."""
    asked = DataGoogleStorageTransferProjectServiceAccount(
        scope, id_, project=place.project, depends_on=[place.service("storagetransfer")]
    )
    return asked.member
