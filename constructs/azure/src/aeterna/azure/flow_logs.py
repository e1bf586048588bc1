"""A network's flow logs: every allowed and refused flow, kept in an account under the customer's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.network_watcher_flow_log import AzurermNetworkWatcherFlowLog
from aeterna.azure.storage import AccountSpec, StorageAccount
from aeterna.azure.worldwide import worldwide_account
from aeterna.contracts.naming import require_between
from aeterna.synth.l1.time.sleep import TimeSleep
from aeterna.synth.neutral_providers import require_time
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.azure.keys import AzureKey
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.network import NetworkSpec
    from aeterna.synth.values import Text

WATCHER_GROUP = "NetworkWatcherRG"
WATCHER_APPEARS = "60s"
"""Azure makes the watcher a moment after it has said that the region's first network is there."""
LONGEST_DAYS = 365
RECOVERABLE_DAYS = 7


@names_itself
class FlowLogs(Construct):
    """All flows of a network. Azure makes a region's watcher itself with the first network there, under fixed names.

    Log Analytics is left out: it takes the customer's key only in a cluster of its own, of 100 GB a day.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: NetworkSpec, *, place: AzurePlace, network_id: Text, key: AzureKey
    ) -> None:
        super().__init__(scope, id_)
        require_between("NetworkSpec", "flow_log_days", spec.flow_log_days, (1, LONGEST_DAYS), "days")
        account = AccountSpec(
            name=worldwide_account(f"{spec.name}-flows", place=place),
            recoverable_days=RECOVERABLE_DAYS,
            # The service is outside every network, and one of those that Azure trusts. It tries the account's keys,
            # which any firewall refuses, and then comes by Entra ID (azure-docs#102123): the keys may as well be off.
            runners=(),
            protected=False,
        )
        store = StorageAccount(self, "Store", account, place=place, key=key)
        require_time(self)
        watched = TimeSleep(self, "Watched", create_duration=WATCHER_APPEARS, triggers={"network": network_id})
        AzurermNetworkWatcherFlowLog(
            self,
            "Resource",
            name=f"{spec.name}-flows",
            location=place.location,
            network_watcher_name=f"NetworkWatcher_{place.location}",
            resource_group_name=WATCHER_GROUP,
            target_resource_id=network_id,
            storage_account_id=store.id,
            enabled=True,
            version=2,
            retention_policy={"enabled": True, "days": spec.flow_log_days},
            depends_on=[watched],
        )
