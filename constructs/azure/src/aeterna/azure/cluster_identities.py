"""The two identities of a cluster on Azure, and every right that they need before the cluster is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.user_assigned_identity import AzurermUserAssignedIdentity
from aeterna.azure.roles import Granted
from aeterna.contracts.late import Late

if TYPE_CHECKING:
    from aeterna.azure.keys import AzureKey
    from aeterna.azure.l1.disk_encryption_set import AzurermDiskEncryptionSet
    from aeterna.azure.l1.kubernetes_cluster import AzurermKubernetesClusterKubeletIdentityBlock
    from aeterna.azure.network import AzureNetwork
    from aeterna.azure.place import AzurePlace
    from aeterna.azure.private_dns import PrivateZone
    from aeterna.synth._cdk import ITerraformDependable

JOINS_SUBNETS = "Network Contributor"
WRITES_NAMES = "Private DNS Zone Contributor"
"""On a zone, it writes records there; on a network, all it holds is the right to link a zone to it."""
LENDS_IDENTITIES = "Managed Identity Operator"
READS = "Reader"
ENCRYPTS_SECRETS = "Key Vault Crypto User"
"""Encrypting and decrypting: the API does not wrap another key, as stores do."""
OPENS_PRIVATE_WAY = "Key Vault Contributor"
"""Approving the private endpoint that the cluster makes for itself (AKS documentation, "Add KMS etcd encryption")."""


class ClusterIdentities(Construct):
    """The identity that the control plane acts as, and the one that nodes pull images as.

    The first one's rights end at this network's subnets, this zone of names, this key and its vault. They come before
    the cluster: one that is made without them can publish no internal address, read no secret and attach no disk.
    Their names have an underscore, which no workload's identity can have, so that neither becomes the other.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        place: AzurePlace,
        network: AzureNetwork,
        zone: PrivateZone,
        key: AzureKey,
        disks: AzurermDiskEncryptionSet,
    ) -> None:
        super().__init__(scope, id_)
        self._plane = self._identity("Plane", f"{name}_plane", place)
        self._nodes = self._identity("Nodes", f"{name}_nodes", place)
        rights = {
            "JoinNodes": (JOINS_SUBNETS, network.nodes_subnet_id),
            "JoinApi": (JOINS_SUBNETS, network.api_subnet_id),
            "LinkZone": (WRITES_NAMES, network.network_id),
            "WriteNames": (WRITES_NAMES, zone.id),
            "LendNodes": (LENDS_IDENTITIES, self._nodes.id),
            "ReadDisks": (READS, disks.id),
            "EncryptSecrets": (ENCRYPTS_SECRETS, key.resource_versionless_id),
            "ReachVault": (OPENS_PRIVATE_WAY, key.vault.id),
        }
        self.ready: tuple[ITerraformDependable, ...] = tuple(
            waited
            for id_, (role, on) in rights.items()
            for waited in Granted(self, id_, role=role, on=on, to=self._plane.principal_id).ready
        )
        self.nodes_principal_id = Late(self._nodes.principal_id)
        self.plane_principal_id = Late(self._plane.principal_id)

    @property
    def plane_id(self) -> str:
        """Return the identifier of the control plane's identity."""
        return self._plane.id

    def kubelet(self) -> AzurermKubernetesClusterKubeletIdentityBlock:
        """Return the identity of the nodes, in the three ways in which AKS wants it named."""
        return {
            "client_id": self._nodes.client_id,
            "object_id": self._nodes.principal_id,
            "user_assigned_identity_id": self._nodes.id,
        }

    def _identity(self, id_: str, name: str, place: AzurePlace) -> AzurermUserAssignedIdentity:
        return AzurermUserAssignedIdentity(
            self, id_, name=name, resource_group_name=place.group_name, location=place.location
        )
