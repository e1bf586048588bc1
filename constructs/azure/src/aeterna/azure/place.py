"""Where a stack stands on Azure: a resource group in one region, and who applies it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.data_client_config import DataAzurermClientConfig
from aeterna.azure.l1.data_resource_group import DataAzurermResourceGroup
from aeterna.azure.l1.resource_group import AzurermResourceGroup
from aeterna.azure.regions import require_region
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.place import PlaceOutputs
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from constructs import IConstruct

GROUP = re.compile(r"[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]")


@names_itself
class AzurePlace(Construct):
    """A resource group that holds what the stack makes, so that what belongs together is found and removed together.

    - ``location`` is the region, by the name that Azure's tools print ("westeurope").
    - ``name`` is the group's, unique in the subscription. Changing it replaces everything in it.
    """

    def __init__(self, scope: Construct, id_: str, *, location: str, name: str) -> None:
        super().__init__(scope, id_)
        require_region("AzurePlace", "location", location)
        if not GROUP.fullmatch(name):
            remedy = "use at most 90 letters, digits and ._()-, not ending with a period"
            raise InvalidSpecError("AzurePlace", "name", f"{name!r} is not the name of a resource group", remedy)
        group = AzurermResourceGroup(self, "Resource", name=name, location=location)
        self._settle(location, name, group)

    @classmethod
    def existing(cls, scope: Construct, id_: str, *, location: str, name: str) -> AzurePlace:
        """Take a resource group that the customer already has; one that is not there is refused at plan."""
        return _ExistingPlace(scope, id_, location=location, name=name)

    @classmethod
    def of(cls, scope: Construct) -> AzurePlace:
        """Return the place of the nearest scope that has one, usually the stack; `InvalidSpecError` where none has."""
        enclosing: IConstruct | None = scope
        while enclosing is not None:
            for child in enclosing.node.children:
                if isinstance(child, AzurePlace):
                    return child
            enclosing = enclosing.node.scope
        problem = f"{scope.node.path} stands nowhere"
        raise InvalidSpecError("AzurePlace", "scope", problem, "make an AzurePlace in its stack before anything else")

    def _settle(self, location: str, name: str, group: AzurermResourceGroup | DataAzurermResourceGroup) -> None:
        client = DataAzurermClientConfig(self, "Client")
        self.location = location
        """The region's name, known now."""
        self.label = name
        """The group's name, known now."""
        self.group_name = Late(group.name)
        self.group_id = Late(group.id)
        self.tenant_id = Late(client.tenant_id)
        self.subscription_id = Late(client.subscription_id)
        self.deployer_id = Late(client.object_id)
        """The object of whoever applies; another one at the next apply, perhaps."""
        self.outputs = PlaceOutputs(account=self.subscription_id, region=Late(group.location))


@names_itself
class _ExistingPlace(AzurePlace):
    """A resource group that is only looked up."""

    def __init__(self, scope: Construct, id_: str, *, location: str, name: str) -> None:
        Construct.__init__(self, scope, id_)
        require_region("AzurePlace", "location", location)
        self._settle(location, name, DataAzurermResourceGroup(self, "Resource", name=name))
