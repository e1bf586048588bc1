"""The Kubernetes cluster on Google Cloud: GKE with a private API, workload identity, and the customer's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.cluster import ClusterOutputs
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_name
from aeterna.gcp.access import ClusterAccess
from aeterna.gcp.agents import Agent, service_agent
from aeterna.gcp.cluster_alarms import cluster_alarms, emergency_use
from aeterna.gcp.cluster_checks import require_open_pool, require_room, require_services
from aeterna.gcp.cluster_settings import (
    ADDONS,
    CHANNEL,
    DEFAULT_OPTIONS,
    ENFORCED,
    IN_NO_ORDER,
    LOGGED,
    MEASURED,
    WEEKENDS,
    api_clients,
    control_plane_logs,
)
from aeterna.gcp.l1.container_cluster import GoogleContainerCluster
from aeterna.gcp.l1.data_container_cluster import DataGoogleContainerCluster
from aeterna.gcp.l1.project_iam_audit_config import GoogleProjectIamAuditConfig
from aeterna.gcp.log_bucket import LogBucket
from aeterna.gcp.nodes import NodeAccount, NodePool, first_node_config
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.alerts import AlertsSpec
    from aeterna.contracts.cluster import ClusterSpec
    from aeterna.gcp.alarm import Alarm, LoggedEvent
    from aeterna.gcp.cluster_settings import GkeOptions
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.network import GcpNetwork
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

KUBERNETES_VERSION = "1.35"
"""The least version of a cluster whose spec names none; the channel upgrades it from there."""

LONGEST_CLUSTER_NAME = 18
"""What a Google service account's id, at most 30 characters, leaves beside ``-break-glass``."""

METADATA_SERVER = "169.254.169.254/32"
"""Where GKE's metadata server answers pods, on each node."""

DELETE_TIMEOUT = "40m"


@names_itself
class GkeCluster(Construct):
    """A regional GKE cluster that can be reached only from inside the network, and from the blocks of the spec.

    `ready` is what anything deployed into the cluster has to wait for.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: ClusterSpec,
        *,
        place: GcpPlace,
        network: GcpNetwork,
        key: GcpKey,
        options: GkeOptions = DEFAULT_OPTIONS,
    ) -> None:
        super().__init__(scope, id_)
        require_name("ClusterSpec", "name", spec.name, longest=LONGEST_CLUSTER_NAME)
        key.require_at("ClusterSpec", place.region)
        require_services(spec)
        require_open_pool(spec)
        require_room(spec.pools, network.pods)
        self.name = spec.name
        self.location = place.region
        self.place = place
        self.account = NodeAccount(self, "Nodes", cluster=spec.name, place=place)
        access = ClusterAccess(self, "Access", spec, place=place)
        self._emergency: str | None = access.emergency.email
        self._record(spec, key, options)
        disks = key.grant(
            self, "DisksKeyUse", service_agent(place, Agent.COMPUTE_ENGINE), after=[place.service("compute")]
        )
        plane = self._control_plane(spec, network, key, options, after=[disks])
        self._plane: GoogleContainerCluster | DataGoogleContainerCluster = plane
        pools = [
            NodePool(
                self,
                f"Pool-{pool.name}",
                pool,
                plane=plane,
                zones=len(network.outputs.zones),
                account=self.account,
                key_id=key.id,
                after=[self.account.role, disks],
            ).resource
            for pool in spec.pools
        ]
        self.ready: tuple[ITerraformDependable, ...] = (plane, *pools, *access.members)
        self.outputs = _outputs(plane)

    @classmethod
    def existing(
        cls, scope: Construct, id_: str, *, place: GcpPlace, name: str, location: str, node_account: str
    ) -> GkeCluster:
        """Take a cluster that the customer already has; it is looked up.

        It needs workload identity. ``location`` is its region or zone, and ``node_account`` the address of the Google
        service account that its nodes run as: stores let that in.
        """
        return _ExistingCluster(scope, id_, place=place, name=name, location=location, node_account=node_account)

    @property
    def workload_pool(self) -> str:
        """Return the pool of its workloads' identities, which exists only once a cluster of the project does."""
        return str(self._plane.workload_identity_config[0].workload_pool)

    @property
    def node_account(self) -> str:
        """Return the address of the account that the nodes run as."""
        return self.account.email

    @property
    def dns_endpoint(self) -> Late:
        """Return the control plane's own name, which answers only where ``dns_endpoint`` is on."""
        return Late(str(self._plane.control_plane_endpoints_config[0].dns_endpoint_config[0].endpoint))

    def alarms(self, spec: AlertsSpec) -> tuple[Alarm | LoggedEvent, ...]:
        """Return what people are told of: nodes that are busy, full, or gone, and the emergency account at work."""
        of_nodes = cluster_alarms(spec, project=self.place.project, location=self.location, name=self.name)
        return of_nodes if self._emergency is None else (*of_nodes, emergency_use(self._emergency))

    def _record(self, spec: ClusterSpec, key: GcpKey, options: GkeOptions) -> None:
        """Keep what the control plane writes, and what IAM is asked to write, for those who want to know later."""
        if options.record_tokens:
            GoogleProjectIamAuditConfig(
                self,
                "Tokens",
                project=self.place.project,
                service="iam.googleapis.com",
                audit_log_config=[{"log_type": "DATA_READ"}],
            )
        LogBucket(
            self,
            "Logs",
            name=f"{spec.name}-control-plane",
            wanted=control_plane_logs(spec, self.place.region),
            days=spec.log_days,
            asked=("ClusterSpec", "log_days"),
            place=self.place,
            key=key,
        )

    def _control_plane(
        self,
        spec: ClusterSpec,
        network: GcpNetwork,
        key: GcpKey,
        options: GkeOptions,
        *,
        after: Sequence[ITerraformDependable],
    ) -> GoogleContainerCluster:
        place = self.place
        secrets = key.grant(self, "SecretsKeyUse", service_agent(place, Agent.GKE), after=[place.service("container")])
        return GoogleContainerCluster(
            self,
            "Resource",
            name=spec.name,
            location=place.region,
            node_locations=network.outputs.zones,
            network=network.network_id,
            subnetwork=network.subnetwork_id,
            networking_mode="VPC_NATIVE",
            ip_allocation_policy={
                "cluster_secondary_range_name": network.pods_range,
                "services_secondary_range_name": network.services_range(spec.service_cidr),
            },
            datapath_provider="ADVANCED_DATAPATH",
            enable_intranode_visibility=True,
            enable_l4_ilb_subsetting=True,
            private_cluster_config={"enable_private_nodes": True, "enable_private_endpoint": True},
            master_authorized_networks_config=api_clients(spec),
            control_plane_endpoints_config={
                "dns_endpoint_config": {"allow_external_traffic": options.dns_endpoint},
                "ip_endpoints_config": {"enabled": True},
            },
            release_channel={"channel": CHANNEL},
            min_master_version=spec.version or KUBERNETES_VERSION,
            maintenance_policy={"recurring_window": WEEKENDS},
            database_encryption={"state": "ENCRYPTED", "key_name": key.id},
            workload_identity_config={"workload_pool": f"{place.project}.svc.id.goog"},
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config=first_node_config(self.account, key_id=key.id),
            enable_shielded_nodes=True,
            master_auth={"client_certificate_config": {"issue_client_certificate": False}},
            enable_legacy_abac=False,
            anonymous_authentication_config={"mode": "LIMITED"},
            rbac_binding_config={
                "enable_insecure_binding_system_authenticated": False,
                "enable_insecure_binding_system_unauthenticated": False,
            },
            authenticator_groups_config=None if options.groups is None else {"security_group": options.groups},
            binary_authorization={"evaluation_mode": ENFORCED if options.signed_images_only else "DISABLED"},
            security_posture_config={"mode": "BASIC"},
            logging_config={"enable_components": LOGGED},
            monitoring_config={"enable_components": MEASURED, "managed_prometheus": {"enabled": True}},
            cost_management_config={"enabled": True},
            addons_config=ADDONS,
            deletion_protection=spec.protected,
            timeouts={"delete": DELETE_TIMEOUT},
            depends_on=[place.service("container"), secrets, self.account.role, *after, *network.ready],
            lifecycle=Lifecycle(
                prevent_destroy=protected(self, wanted=spec.protected),
                # The first pool is gone: what the provider reads here afterwards is that of ours. The region's list of
                # zones may grow, and moving a cluster into another zone would replace its nodes.
                ignore_changes=["node_config", "node_pool", "initial_node_count", "node_locations", *IN_NO_ORDER],
            ),
        )


@names_itself
class _ExistingCluster(GkeCluster):
    """A cluster that is only looked up."""

    def __init__(
        self, scope: Construct, id_: str, *, place: GcpPlace, name: str, location: str, node_account: str
    ) -> None:
        Construct.__init__(self, scope, id_)
        self.name = name
        self.location = location
        self.place = place
        self._node_account, self._emergency = node_account, None
        self._plane = DataGoogleContainerCluster(self, "Resource", name=name, location=location)
        self.ready = ()
        self.outputs = _outputs(self._plane)

    @property
    def node_account(self) -> str:
        """Return the address of the account that the nodes run as."""
        return self._node_account


def _outputs(plane: GoogleContainerCluster | DataGoogleContainerCluster) -> ClusterOutputs:
    return ClusterOutputs(
        name=Late(plane.name),
        endpoint=Late(f"https://{plane.endpoint}"),
        certificate_authority=Late(str(plane.master_auth[0].cluster_ca_certificate)),
        issuer=Late(f"https://container.googleapis.com/v1/{plane.id}"),
        version=Late(plane.master_version),
        login=(Late("gke-gcloud-auth-plugin"),),
        identity_blocks=(Late(METADATA_SERVER),),
    )
