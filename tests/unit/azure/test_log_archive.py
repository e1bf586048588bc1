"""Where a service's logs go on Azure, and how long they stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.azure.log_archive import LogArchive
from fixtures.azure_network_stack import AzureNetworkStack

if TYPE_CHECKING:
    from aeterna.synth.testing import Document


@pytest.fixture(scope="module")
def synthesis() -> Document:
    stack = AzureNetworkStack()
    for name in ("a-very-long-name-of-a-service", "a-very-long-name-of-another"):
        logs = LogArchive(stack, name, name=name, days=30, place=stack.place, key=stack.key)
        logs.collect(stack, f"Collect-{name}", of="/subscriptions/0/service", name="archive", categories=["Audit"])
    return stack.document()


def test_logs_are_forgotten_when_their_time_has_passed(synthesis: Document) -> None:
    for policy in synthesis.resources("azurerm_storage_management_policy").values():
        (rule,) = policy["rule"]
        assert rule["actions"]["base_blob"] == {"delete_after_days_since_modification_greater_than": 30}
        assert "appendBlob" in rule["filters"]["blob_types"]


def test_azure_monitor_gets_in_and_nobody_else(synthesis: Document) -> None:
    """A firewall that does not know it as a trusted service loses every log without a word."""
    archives = [
        account
        for name, account in synthesis.resources("azurerm_storage_account").items()
        if name.startswith("a-very-long")
    ]

    assert len(archives) == 2
    for account in archives:
        assert account["network_rules"]["default_action"] == "Deny"
        assert account["network_rules"]["bypass"] == ["AzureServices"]
        assert account["public_network_access_enabled"] is True
        assert account["shared_access_key_enabled"] is False


def test_archives_whose_names_begin_alike_are_two(synthesis: Document) -> None:
    names = [account["name"] for account in synthesis.resources("azurerm_storage_account").values()]

    assert len(set(names)) == len(names)
