"""The Kubernetes cluster on Azure: AKS with a private API, workload identity, and the customer's key on its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.access import ClusterAccess
from aeterna.azure.cluster_alarms import cluster_alarms
from aeterna.azure.cluster_identities import ClusterIdentities
from aeterna.azure.l1.data_kubernetes_cluster import DataAzurermKubernetesCluster
from aeterna.azure.l1.disk_encryption_set import AzurermDiskEncryptionSet
from aeterna.azure.l1.kubernetes_cluster import AzurermKubernetesCluster
from aeterna.azure.log_archive import LogArchive
from aeterna.azure.names import DIGEST, digest, shortened
from aeterna.azure.nodes import NodePool, first_pool, ordered
from aeterna.azure.private_dns import kubernetes_zone
from aeterna.azure.reserved import refuse_reserved
from aeterna.contracts.addresses import parse_block, require_disjoint
from aeterna.contracts.cluster import ClusterOutputs
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_name
from aeterna.contracts.network import Egress
from aeterna.synth.expressions import Fn
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.azure.alarm import Alarm
    from aeterna.azure.keys import AzureKey
    from aeterna.azure.l1.kubernetes_cluster import (
        AzurermKubernetesClusterMaintenanceWindowAutoUpgradeBlock,
        AzurermKubernetesClusterNetworkProfileBlock,
    )
    from aeterna.azure.network import AzureNetwork
    from aeterna.azure.place import AzurePlace
    from aeterna.azure.private_dns import PrivateZone
    from aeterna.contracts.alerts import AlertsSpec
    from aeterna.contracts.cluster import ClusterSpec
    from aeterna.synth._cdk import ITerraformDependable

KUBERNETES_VERSION = "1.35"
"""The version of a cluster whose spec names none."""

CONTROL_PLANE_LOGS = (
    "kube-apiserver",
    "kube-audit",
    "kube-controller-manager",
    "kube-scheduler",
    "cluster-autoscaler",
    "guard",
)
LONGEST_CLUSTER = 40
LONGEST_NODES_GROUP = 80

NAME_SERVER = 10
"""Which address of the services' block names are resolved at."""
CLEANING_HOURS = 168


@names_itself
class AksCluster(Construct):
    """An AKS cluster whose API has an address in the network and none outside.

    Secrets are encrypted by the key through a private way of the cluster's own to its vault: the vault's firewall
    keeps everything else out, and only a cluster whose API is in the network can pass it. `ready` is what anything
    deployed into the cluster has to wait for.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: ClusterSpec,
        *,
        place: AzurePlace,
        network: AzureNetwork,
        key: AzureKey,
    ) -> None:
        super().__init__(scope, id_)
        require_name("ClusterSpec", "name", spec.name, longest=LONGEST_CLUSTER)
        _refuse_overlap(spec, network)
        self.name, self.place = spec.name, place
        zone = network.zone(kubernetes_zone(place.location))
        disks = self._disks(spec, key)
        identities = ClusterIdentities(
            self, "Identities", name=spec.name, place=place, network=network, zone=zone, key=key, disks=disks
        )
        plane = self._control_plane(spec, network, key, zone=zone, disks=disks, identities=identities)
        self.id = Late(plane.id)
        self.pulling_principal_id = identities.nodes_principal_id
        self.plane_principal_id = identities.plane_principal_id
        _, *others = ordered(spec.pools)
        version = spec.version or KUBERNETES_VERSION
        pools = [
            NodePool(self, f"Pool-{pool.name}", pool, plane=plane, version=version, network=network) for pool in others
        ]
        access = ClusterAccess(self, "Access", spec, plane=plane, place=place)
        logs = LogArchive(self, "Logs", name=f"{spec.name}-cluster", days=spec.log_days, place=place, key=key)
        logs.collect(self, "Collection", of=plane.id, name="archive", categories=CONTROL_PLANE_LOGS)
        self.ready: tuple[ITerraformDependable, ...] = (*access.assignments, *(pool.nodes for pool in pools))
        self.outputs = _outputs(plane)

    @classmethod
    def existing(cls, scope: Construct, id_: str, *, name: str, group: str, place: AzurePlace) -> AksCluster:
        """Take a cluster that the customer already has; it is only looked up.

        It needs its issuer and workload identity switched on. ``group`` is the cluster's resource group, ``place``
        where the identities of its workloads go.
        """
        return _ExistingCluster(scope, id_, name=name, group=group, place=place)

    @property
    def watched_name(self) -> str:
        """Return the name that alarms carry."""
        return self.name

    @property
    def watched_id(self) -> str:
        """Return what alarms are made on."""
        return self.id

    def alarms(self, spec: AlertsSpec) -> tuple[Alarm, ...]:
        """Watch the nodes: whether one is gone, and their processors, memory and disks."""
        return cluster_alarms(spec)

    def _disks(self, spec: ClusterSpec, key: AzureKey) -> AzurermDiskEncryptionSet:
        user = key.identity_for(self, "DiskKeyUser", place=self.place)
        return AzurermDiskEncryptionSet(
            self,
            "Disks",
            name=f"{spec.name}-disks",
            resource_group_name=self.place.group_name,
            location=self.place.location,
            encryption_type="EncryptionAtRestWithCustomerKey",
            # Only an identifier without a version follows the key's rotation.
            key_vault_key_id=key.versionless_id,
            auto_key_rotation_enabled=True,
            identity={"type": "UserAssigned", "identity_ids": [user.id]},
            depends_on=list(user.ready),
        )

    def _control_plane(
        self,
        spec: ClusterSpec,
        network: AzureNetwork,
        key: AzureKey,
        *,
        zone: PrivateZone,
        disks: AzurermDiskEncryptionSet,
        identities: ClusterIdentities,
    ) -> AzurermKubernetesCluster:
        version = spec.version or KUBERNETES_VERSION
        first, *_ = ordered(spec.pools)
        return AzurermKubernetesCluster(
            self,
            "Resource",
            name=spec.name,
            resource_group_name=self.place.group_name,
            location=self.place.location,
            node_resource_group=nodes_group(spec.name, self.place),
            kubernetes_version=version,
            sku_tier="Standard",
            dns_prefix=spec.name,
            private_cluster_enabled=True,
            private_cluster_public_fqdn_enabled=False,
            private_dns_zone_id=zone.id,
            api_server_access_profile={
                "virtual_network_integration_enabled": True,
                "subnet_id": network.api_subnet_id,
            },
            run_command_enabled=False,
            identity={"type": "UserAssigned", "identity_ids": [identities.plane_id]},
            kubelet_identity=identities.kubelet(),
            local_account_disabled=True,
            role_based_access_control_enabled=True,
            azure_active_directory_role_based_access_control={
                "azure_rbac_enabled": True,
                "tenant_id": self.place.tenant_id,
            },
            oidc_issuer_enabled=True,
            workload_identity_enabled=True,
            # AKS makes an endpoint of its own, which no firewall of the vault stands in front of.
            key_management_service={"key_vault_key_id": key.id, "key_vault_network_access": "Private"},
            disk_encryption_set_id=disks.id,
            network_profile=_traffic(spec, network),
            # Without a way out, nodes take their first images from a registry that AKS fills for them.
            bootstrap_profile={"artifact_source": "Cache"} if network.egress is Egress.NONE else None,
            default_node_pool=first_pool(first, version=version, network=network),
            node_provisioning_profile={"mode": "Manual"},
            auto_scaler_profile={"balance_similar_node_groups": True, "expander": "least-waste"},
            automatic_upgrade_channel="patch",
            node_os_upgrade_channel="NodeImage",
            maintenance_window_auto_upgrade=_window(),
            maintenance_window_node_os=_window(),
            azure_policy_enabled=True,
            image_cleaner_enabled=True,
            image_cleaner_interval_hours=CLEANING_HOURS,
            timeouts={"create": "90m", "update": "90m", "delete": "90m"},
            depends_on=[*zone.ready, *network.ready, *identities.ready],
            lifecycle=Lifecycle(
                prevent_destroy=protected(self, wanted=spec.protected),
                # From the first apply on, the size is the autoscaler's: applying again must not drain nodes.
                ignore_changes=["default_node_pool[0].node_count"],
            ),
        )


@names_itself
class _ExistingCluster(AksCluster):
    """A cluster that is only looked up."""

    def __init__(self, scope: Construct, id_: str, *, name: str, group: str, place: AzurePlace) -> None:
        Construct.__init__(self, scope, id_)
        self.name, self.place = name, place
        plane = DataAzurermKubernetesCluster(self, "Resource", name=name, resource_group_name=group)
        self.id = Late(plane.id)
        self.pulling_principal_id = Late(str(plane.kubelet_identity[0].object_id))
        self.plane_principal_id = Late(str(plane.identity[0].principal_id))
        self.ready = ()
        self.outputs = _outputs(plane)


LOGIN = (
    *("kubelogin", "get-token", "--server-id", "6dae42f8-4368-4678-94ff-3960e28e3630"),
    *("--login", "azurecli"),
)
"""Asks for a token of AKS' own application, which is the same in every tenant. AAD_LOGIN_METHOD sets another login."""


def _outputs(plane: AzurermKubernetesCluster | DataAzurermKubernetesCluster) -> ClusterOutputs:
    # The attribute counts as secret for what stands beside the certificate, which is empty without local accounts.
    authority = Fn.nonsensitive(str(plane.kube_config[0].cluster_ca_certificate))
    return ClusterOutputs(
        name=Late(plane.name),
        endpoint=Late(f"https://{plane.private_fqdn}:443"),
        certificate_authority=Late(authority),
        issuer=Late(plane.oidc_issuer_url),
        version=Late(plane.current_kubernetes_version)
        if isinstance(plane, AzurermKubernetesCluster)
        else Late(plane.kubernetes_version),
        login=tuple(Late(word) for word in LOGIN),
    )


def nodes_group(cluster: str, place: AzurePlace) -> str:
    """Return the name of the resource group that AKS makes for the nodes, which is unique in the subscription.

    The name that AKS itself would choose has group, cluster and region in it, and is refused where they are long.
    """
    name = f"{place.label}-{cluster}-nodes"
    if len(name) <= LONGEST_NODES_GROUP:
        return name
    return f"{shortened(name, longest=LONGEST_NODES_GROUP - DIGEST - 1)}-{digest(name)}"


def _traffic(spec: ClusterSpec, network: AzureNetwork) -> AzurermKubernetesClusterNetworkProfileBlock:
    services = parse_block("ClusterSpec", "service_cidr", spec.service_cidr)
    return {
        "network_plugin": "azure",
        "network_plugin_mode": "overlay",
        "network_data_plane": "cilium",
        "network_policy": "cilium",
        "load_balancer_sku": "standard",
        # The balancer's own translation runs out of ports; a gateway does not.
        "outbound_type": "none" if network.egress is Egress.NONE else "userAssignedNATGateway",
        "pod_cidr": str(network.pods),
        "service_cidr": spec.service_cidr,
        "dns_service_ip": str(services[NAME_SERVER]),
    }


def _window() -> AzurermKubernetesClusterMaintenanceWindowAutoUpgradeBlock:
    """Return the hours in which versions and images change: early on Sunday, four being the least that AKS takes."""
    return {
        "frequency": "Weekly",
        "interval": 1,
        "day_of_week": "Sunday",
        "start_time": "02:00",
        "utc_offset": "+00:00",
        "duration": 4,
    }


def _refuse_overlap(spec: ClusterSpec, network: AzureNetwork) -> None:
    services = parse_block("ClusterSpec", "service_cidr", spec.service_cidr)
    refuse_reserved("ClusterSpec", "service_cidr", services)
    require_disjoint("ClusterSpec", "service_cidr", services, network.pods, "the block of the pods")
    if network.block is not None:
        require_disjoint("ClusterSpec", "service_cidr", services, network.block, "the network of the nodes")
