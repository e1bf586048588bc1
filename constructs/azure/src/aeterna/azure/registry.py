"""A registry of container images on Azure, under the customer's key and inside the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.container_registry import AzurermContainerRegistry
from aeterna.azure.names import plain
from aeterna.azure.roles import Granted
from aeterna.azure.worldwide import place_digest
from aeterna.contracts.late import Late
from aeterna.contracts.registry import RegistryOutputs
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.keys import AzureKey
    from aeterna.azure.network import AzureNetwork
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.registry import RegistrySpec
    from aeterna.synth._cdk import ITerraformDependable

PULL = "AcrPull"


@names_itself
class ContainerRegistry(Construct):
    """A premium registry in every zone, with neither an administrator nor anonymous readers, and nothing exported.

    Azure has no switch that keeps tags where they were pushed: deploy by digest, or lock each image from the pipeline
    (``az acr repository update --write-enabled false``). Scanning is Microsoft Defender's, which is bought for a whole
    subscription and so is not made here. Quarantine stays off: nothing could be pulled until a scanner lifted it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: RegistrySpec,
        *,
        place: AzurePlace,
        key: AzureKey,
        network: AzureNetwork,
    ) -> None:
        super().__init__(scope, id_)
        user = key.identity_for(self, "KeyUser", place=place)
        self._registry = AzurermContainerRegistry(
            self,
            "Resource",
            name=f"{plain(spec.name)}{place_digest(spec.name, place)}",
            location=place.location,
            resource_group_name=place.group_name,
            sku="Premium",
            admin_enabled=False,
            anonymous_pull_enabled=False,
            public_network_access_enabled=False,
            network_rule_bypass_option="AzureServices",
            export_policy_enabled=False,
            # Layers from a host of the registry's own, rather than from one that every customer's registry shares.
            data_endpoint_enabled=True,
            zone_redundancy_enabled=True,
            retention_policy_in_days=spec.untagged_days,
            identity={"type": "UserAssigned", "identity_ids": [user.id]},
            # Only a new registry can be given a key; without a version, it follows a rotation by itself.
            encryption=[{"identity_client_id": user.client_id, "key_vault_key_id": key.versionless_id}],
            depends_on=user.ready,
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
        )
        self.endpoint: ITerraformDependable = network.private_endpoint(
            self,
            "Endpoint",
            target_id=self._registry.id,
            subresource="registry",
            zone=network.zone("registry"),
            place=place,
        )
        self.id = Late(self._registry.id)
        self.outputs = RegistryOutputs(url=Late(self._registry.login_server))

    def grant_to(self, scope: Construct, id_: str, *, principal_id: Late, name: Late) -> Sequence[ITerraformDependable]:
        """Let an identity, such as that of a cluster's nodes, pull images."""
        del name
        return (*Granted(scope, id_, role=PULL, on=self.id, to=principal_id).ready, self.endpoint)
