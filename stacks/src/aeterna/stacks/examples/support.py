"""One database on Azure, in a support team's own stack, with a network and a resource group of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.azure.database import FlexiblePostgres
from aeterna.azure.keys import AzureKey
from aeterna.azure.l1.provider import AzurermProvider
from aeterna.azure.network import AzureNetwork
from aeterna.azure.place import AzurePlace
from aeterna.contracts.database import DatabaseSpec
from aeterna.contracts.keys import KeySpec
from aeterna.contracts.network import NetworkSpec
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.aspects import attach
from aeterna.synth.backends import keep_beside
from aeterna.synth.rules.guardrails import Guardrails
from aeterna.synth.tags import Tags

if TYPE_CHECKING:
    from constructs import Construct


class Support(TerraformStack):
    """The stack of the support team, which keeps its agents' conversations in a database of its own."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        keep_beside(self)
        AzurermProvider(self, "azurerm", features=[{}], storage_use_azuread=True)
        place = AzurePlace(self, "Place", location="westeurope", name="support")
        key = AzureKey(self, "Key", KeySpec(purpose="threads", environment="support"), place=place)
        network = AzureNetwork(self, "Network", NetworkSpec(name="support"), place=place, key=key)
        threads = FlexiblePostgres(
            self, "Threads", DatabaseSpec(name="support-threads"), place=place, network=network, key=key
        )
        TerraformOutput(self, "endpoint", value=threads.outputs.endpoint)
        attach(self, Tags({"team": "support"}))
        attach(self, Guardrails())  # on everything in this stack, whoever adds it
