"""What a control plane of GKE is told to be, beside what its spec says; and what only GKE knows of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from aeterna.contracts.cluster import ClusterSpec
    from aeterna.gcp.l1.container_cluster import (
        GoogleContainerClusterAddonsConfigBlock,
        GoogleContainerClusterMaintenancePolicyRecurringWindowBlock,
        GoogleContainerClusterMasterAuthorizedNetworksConfigBlock,
    )

CHANNEL = "REGULAR"
IN_NO_ORDER = ("logging_config[0].enable_components", "monitoring_config[0].enable_components")
"""Sets that the provider takes for lists, and GKE returns in an order of its own: each plan would change them again
(terraform-provider-google#28688). Whoever adds to them later does so with gcloud as well."""

LOGGED = ("SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")
MEASURED = (
    "SYSTEM_COMPONENTS",
    "APISERVER",
    "CONTROLLER_MANAGER",
    "SCHEDULER",
    "STORAGE",
    "POD",
    "DEPLOYMENT",
    "STATEFULSET",
    "DAEMONSET",
    "HPA",
    "KUBELET",
    "CADVISOR",
)
ADDONS: GoogleContainerClusterAddonsConfigBlock = {
    "dns_cache_config": {"enabled": True},
    "gce_persistent_disk_csi_driver_config": {"enabled": True},
    "gke_backup_agent_config": {"enabled": True},
    "horizontal_pod_autoscaling": {"disabled": False},
    "http_load_balancing": {"disabled": False},
}
WEEKENDS: GoogleContainerClusterMaintenancePolicyRecurringWindowBlock = {
    "start_time": "2026-01-03T04:00:00Z",
    "end_time": "2026-01-03T12:00:00Z",
    "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
}
"""GKE wants 48 hours in any 32 days; this gives it 64 or more."""

GROUPS = "gke-security-groups@"
ENFORCED = "PROJECT_SINGLETON_POLICY_ENFORCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class GkeOptions:
    """What only GKE knows of a cluster.

    - ``dns_endpoint`` opens the control plane's own name as well: whoever IAM allows may then call it from anywhere,
      without a way into the network. Default: off, because it answers the internet, if only to say no.
    - ``signed_images_only`` lets in only what the project's policy of Binary Authorization admits. Default: off.
    - ``record_tokens`` has IAM record who takes a token of which account, the emergency account's among them. It is a
      setting of the whole project, and takes the place of one that is there. Default: off; what the emergency account
      does in the cluster is recorded in any case, with who acted as it.
    - ``groups`` is the group ``gke-security-groups@<your domain>``, so that RBAC may name groups that are in it.
      Default: none.
    """

    dns_endpoint: bool = False
    signed_images_only: bool = False
    record_tokens: bool = False
    groups: str | None = None

    def __post_init__(self) -> None:
        """Refuse a group that GKE does not ask."""
        if self.groups is not None and not self.groups.startswith(GROUPS):
            problem = f"{self.groups!r} is not the group that GKE asks"
            raise InvalidSpecError(
                "GkeOptions", "groups", problem, f"make a group {GROUPS}<your domain>, and name that"
            )


DEFAULT_OPTIONS = GkeOptions()


def api_clients(spec: ClusterSpec) -> GoogleContainerClusterMasterAuthorizedNetworksConfigBlock:
    """Let in the blocks of the spec. Nodes and pods always are; addresses that Google itself owns are not."""
    return {
        "gcp_public_cidrs_access_enabled": False,
        "private_endpoint_enforcement_enabled": True,
        "cidr_blocks": [
            {"cidr_block": block, "display_name": f"api-client-{number}"}
            for number, block in enumerate(spec.api_clients, start=1)
        ],
    }


def control_plane_logs(spec: ClusterSpec, region: str) -> str:
    """Return the filter for what the control plane itself writes."""
    kinds = 'resource.type=("k8s_control_plane_component" OR "k8s_cluster")'
    return f'{kinds} AND resource.labels.cluster_name="{spec.name}" AND resource.labels.location="{region}"'
