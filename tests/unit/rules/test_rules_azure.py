"""Each rule of Azure finds what breaks it and lets pass what keeps it; so do the neutral ones in its forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.azure.rules import PACK
from fixtures.rule_documents import Case, Json, document, found

if TYPE_CHECKING:
    from collections.abc import Mapping

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
POD = "system:serviceaccount:aeterna:threads"
EVERYBODY = "0.0.0.0"  # noqa: S104 - what Azure writes for everybody
KEYLESS = {"shared_access_key_enabled": False, "default_to_oauth_authentication": True, "local_user_enabled": False}


def cluster(**arguments: Json) -> dict[str, Json]:
    return document(azurerm_kubernetes_cluster={"name": "a", **arguments})


def account(**arguments: Json) -> dict[str, Json]:
    return document(azurerm_storage_account={"name": "acme", **arguments})


def beside(arguments: Mapping[str, Json], **others: Mapping[str, Json]) -> dict[str, Json]:
    return document(azurerm_storage_account={"name": "acme", **arguments}, **others)


def assigned(role: str, scope: str, **more: Json) -> dict[str, Json]:
    return document(azurerm_role_assignment={"role_definition_name": role, "scope": scope, **more})


def defined(*actions: str, scope: str = SUBSCRIPTION) -> dict[str, Json]:
    return document(azurerm_role_definition={"name": "a", "scope": scope, "permissions": [{"actions": list(actions)}]})


def believed(subject: str, audience: str = "api://AzureADTokenExchange") -> dict[str, Json]:
    return document(azurerm_federated_identity_credential={"subject": subject, "audience": [audience]})


def rule(**arguments: Json) -> dict[str, Json]:
    return {"name": "a", "direction": "Inbound", "access": "Allow", **arguments}


TO_LOGS = {"storage_account_id": "${azurerm_storage_account.x.id}"}

OWN = [
    Case(
        sentence="two keys open the account",
        rule="azure-storage-keys",
        wrong=account(**{**KEYLESS, "shared_access_key_enabled": True}),
        right=account(**KEYLESS),
    ),
    Case(
        sentence="a key is the default, except where the flows of a network are written",
        rule="azure-storage-keys",
        wrong=account(**{**KEYLESS, "default_to_oauth_authentication": False}),
        right=beside({**KEYLESS, "shared_access_key_enabled": True}, azurerm_network_watcher_flow_log=TO_LOGS),
    ),
    Case(
        sentence="a local administrator",
        rule="azure-local-accounts",
        wrong=cluster(),
        right=cluster(local_account_disabled=True),
    ),
    Case(
        sentence="roles of the cluster's own",
        rule="azure-cluster-roles",
        wrong=cluster(azure_active_directory_role_based_access_control={"azure_rbac_enabled": False}),
        right=cluster(azure_active_directory_role_based_access_control={"azure_rbac_enabled": True}),
    ),
    Case(
        sentence="a door around the network",
        rule="azure-run-command",
        wrong=cluster(),
        right=cluster(run_command_enabled=False),
    ),
    Case(
        sentence="a temporary disk in the clear",
        rule="azure-host-encryption",
        wrong=cluster(default_node_pool={"name": "general"}),
        right=cluster(default_node_pool={"name": "general", "host_encryption_enabled": True}),
    ),
    Case(
        sentence="one encryption",
        rule="azure-double-encryption",
        wrong=account(),
        right=account(infrastructure_encryption_enabled=True),
    ),
    Case(
        sentence="no policy in the cluster",
        rule="azure-cluster-policy",
        wrong=cluster(),
        right=cluster(azure_policy_enabled=True),
    ),
    Case(
        sentence="a way out that Azure adds by itself",
        rule="azure-outbound-access",
        wrong=document(azurerm_subnet={"name": "a"}),
        right=document(azurerm_subnet={"name": "a", "default_outbound_access_enabled": False}),
    ),
    Case(
        sentence="a subnet whose way out is a service's business",
        rule="azure-outbound-access",
        wrong=document(azurerm_subnet={"name": "a", "default_outbound_access_enabled": True}),
        right=document(azurerm_subnet={"name": "a", "delegation": [{"name": "b"}]}),
    ),
    Case(
        sentence="a vault with policies of its own",
        rule="azure-vault-roles",
        wrong=document(azurerm_key_vault={"name": "acme", "rbac_authorization_enabled": False}),
        right=document(azurerm_key_vault={"name": "acme", "rbac_authorization_enabled": True}),
    ),
    Case(
        sentence="one such policy",
        rule="azure-vault-roles",
        wrong=document(azurerm_key_vault_access_policy={"object_id": "a"}),
        right=assigned("Key Vault Crypto User", "${azurerm_key_vault_key.x.resource_versionless_id}"),
    ),
    Case(
        sentence="a port open to the internet",
        rule="azure-open-port",
        wrong=document(azurerm_network_security_rule=rule(source_address_prefix="Internet")),
        right=document(azurerm_network_security_rule=rule(source_address_prefix="VirtualNetwork")),
    ),
    Case(
        sentence="a port open to the internet, said inside the group",
        rule="azure-open-port",
        wrong=document(azurerm_network_security_group={"security_rule": [rule(source_address_prefixes=["0.0.0.0/0"])]}),
        right=document(
            azurerm_network_security_group={
                "security_rule": [
                    rule(source_address_prefix="*", access="Deny"),
                    rule(source_address_prefix="10.0.0.0/8"),
                ]
            }
        ),
    ),
]

IN_ITS_FORM = [
    Case(
        sentence="an owner of the subscription",
        rule="grant-everything",
        wrong=assigned("Owner", SUBSCRIPTION),
        right=assigned("Owner", f"{SUBSCRIPTION}/resourceGroups/a"),
    ),
    Case(
        sentence="a contributor to whatever the subscription is",
        rule="grant-everything",
        wrong=assigned("Contributor", "${data.azurerm_subscription.current.id}"),
        right=assigned("Contributor", "${azurerm_resource_group.x.id}"),
    ),
    Case(
        sentence="a role of one's own with a star",
        rule="grant-everything",
        wrong=defined("*"),
        right=defined("Microsoft.Storage/*/read"),
    ),
    Case(
        sentence="handing out any role",
        rule="grant-escalates",
        wrong=assigned("User Access Administrator", SUBSCRIPTION),
        right=assigned("User Access Administrator", SUBSCRIPTION, condition="@Request[…]"),
    ),
    Case(
        sentence="handing out roles by a role of one's own",
        rule="grant-escalates",
        wrong=defined("Microsoft.Authorization/roleAssignments/write"),
        right=defined("Microsoft.Authorization/roleAssignments/write", scope=f"{SUBSCRIPTION}/resourceGroups/a"),
    ),
    Case(
        sentence="every service account of a namespace",
        rule="trust-exact",
        wrong=believed("system:serviceaccount:aeterna:*"),
        right=believed(POD),
    ),
    Case(
        sentence="a token for another service",
        rule="trust-exact",
        wrong=believed(POD, "vault"),
        right=believed(POD),
    ),
    Case(
        sentence="everybody who has an account with Azure",
        rule="open-ingress",
        wrong=document(azurerm_postgresql_flexible_server_firewall_rule={"start_ip_address": EVERYBODY}),
        right=document(azurerm_postgresql_flexible_server_firewall_rule={"start_ip_address": "192.0.2.1"}),
    ),
    Case(
        sentence="a server that takes plain connections",
        rule="tls-required",
        wrong=document(
            azurerm_postgresql_flexible_server_configuration={"name": "require_secure_transport", "value": "off"}
        ),
        right=document(azurerm_postgresql_flexible_server_configuration={"name": "log_connections", "value": "off"}),
    ),
    Case(
        sentence="an account under Microsoft's own key",
        rule="customer-key-store",
        wrong=account(),
        right=beside(
            {},
            azurerm_storage_account_customer_managed_key={
                "storage_account_id": "${azurerm_storage_account.x.id}",
                "key_vault_key_id": "${azurerm_key_vault_key.k.versionless_id}",
            },
        ),
    ),
    Case(
        sentence="an account without versions, except where only logs are written",
        rule="object-versions",
        wrong=account(),
        right=beside({}, azurerm_monitor_diagnostic_setting=TO_LOGS),
    ),
    Case(
        sentence="an account with directories, which keeps no versions",
        rule="object-versions",
        wrong=account(is_hns_enabled=False),
        right=account(is_hns_enabled=True),
    ),
    Case(
        sentence="an account that answers everybody",
        rule="private-store",
        wrong=account(public_network_access_enabled=True),
        right=account(public_network_access_enabled=True, network_rules=[{"default_action": "Deny"}]),
    ),
    Case(
        sentence="a password of an application",
        rule="static-key",
        wrong=document(azuread_application_password={"application_id": "a"}),
        right=believed(POD),
    ),
]


@pytest.mark.parametrize("case", [*OWN, *IN_ITS_FORM], ids=str)
def test_what_breaks_a_rule_is_found(case: Case) -> None:
    assert found(case.wrong, case.rule)


@pytest.mark.parametrize("case", [*OWN, *IN_ITS_FORM], ids=str)
def test_what_keeps_a_rule_is_not_found(case: Case) -> None:
    assert found(case.right, case.rule) == []


def test_every_rule_of_azure_is_tried_here() -> None:
    assert {case.rule for case in OWN} == {rule.id for rule in PACK.rules}
