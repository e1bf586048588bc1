"""Where a service's logs are kept: a storage account under the customer's key, emptied after so many days.

A Log Analytics workspace takes a customer's key only on a dedicated cluster, which is billed by at least 100 GB a day
(Azure Monitor documentation, "Customer-managed keys"). A storage account takes one at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.l1.monitor_diagnostic_setting import AzurermMonitorDiagnosticSetting
from aeterna.azure.l1.storage_management_policy import AzurermStorageManagementPolicy
from aeterna.azure.storage import AccountSpec, StorageAccount
from aeterna.azure.worldwide import worldwide_account

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.keys import AzureKey
    from aeterna.azure.place import AzurePlace

RECOVERABLE_DAYS = 7


class LogArchive(Construct):
    """A storage account that only Azure Monitor writes into, and that nobody reads with a shared key."""

    def __init__(self, scope: Construct, id_: str, *, name: str, days: int, place: AzurePlace, key: AzureKey) -> None:
        super().__init__(scope, id_)
        account = AccountSpec(
            name=worldwide_account(f"{name}-log", place=place),
            recoverable_days=RECOVERABLE_DAYS,
            # Azure Monitor is one of the services that Azure trusts; whoever reads comes by a way of their own.
            runners=(),
            protected=False,
        )
        self._account = StorageAccount(self, "Account", account, place=place, key=key)
        AzurermStorageManagementPolicy(
            self,
            "Retention",
            storage_account_id=self._account.id,
            rule=[
                {
                    "name": "expire",
                    "enabled": True,
                    "filters": {"blob_types": ["appendBlob", "blockBlob"]},
                    "actions": {"base_blob": {"delete_after_days_since_modification_greater_than": days}},
                }
            ],
        )

    def collect(
        self, scope: Construct, id_: str, *, of: str, name: str, categories: Sequence[str]
    ) -> AzurermMonitorDiagnosticSetting:
        """Send these categories of a resource's logs here. The setting is part of the resource it is made for."""
        return AzurermMonitorDiagnosticSetting(
            scope,
            id_,
            name=name,
            target_resource_id=of,
            storage_account_id=self._account.id,
            enabled_log=[{"category": category} for category in categories],
        )
