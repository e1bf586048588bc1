"""Reads what Azure's role assignments and definitions grant, and whose tokens its identities believe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.grants import Grant, Trust
from aeterna.synth.rules.subject import as_list, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.subject import Subject

ASSIGNMENT: Final = "azurerm_role_assignment"
DEFINITION: Final = "azurerm_role_definition"
CREDENTIAL: Final = "azurerm_federated_identity_credential"
EVERYTHING: Final = re.compile(
    r"/?subscriptions/[^/]+/?|/providers/Microsoft\.Management/managementGroups/[^/]+/?|/"
    r"|\$\{data\.azurerm_(?:subscription|management_group)\.[\w-]+\.id\}"
    r"|/subscriptions/\$\{data\.azurerm_(?:client_config|subscription)\.[\w-]+\.subscription_id\}/?"
)
"""The scopes that hold everything: a subscription, a group of them, or the tenant."""
EVERY_ACTION: Final = frozenset({"Owner", "Contributor"})
ESCALATING: Final = frozenset({"Owner", "Role Based Access Control Administrator", "User Access Administrator"})
ESCALATING_ACTIONS: Final = frozenset(
    {
        "*",
        "Microsoft.Authorization/*",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/roleAssignments/write",
    }
)
AUDIENCE: Final = ["api://AzureADTokenExchange"]


def grants(subject: Subject) -> Iterator[Grant]:
    """Yield the role that is assigned, or what a role of one's own allows."""
    if subject.type == ASSIGNMENT:
        role = str(subject.arguments.get("role_definition_name", ""))
        yield Grant(
            where="`role_definition_name`",
            actions=role,
            every_action=role in EVERY_ACTION,
            every_resource=_everything(subject),
            escalates=role in ESCALATING and not subject.arguments.get("condition"),
        )
    elif subject.type == DEFINITION:
        for argument in ("actions", "data_actions"):
            for written in subject.values(f"permissions?.{argument}?"):
                yield _defined(argument, [str(action) for action in as_list(written)], everything=_everything(subject))


def trusts(subject: Subject) -> Iterator[Trust]:
    """Yield whose tokens an identity believes."""
    if subject.type == CREDENTIAL:
        believed = str(subject.arguments.get("subject", ""))
        audience = as_list(subject.arguments.get("audience"))
        yield Trust(
            where="`subject`",
            subject=believed or None,
            exact=not any(wildcard in believed for wildcard in "*?"),
            audience=audience == AUDIENCE or any(is_expression(each) for each in audience),
        )


def _defined(argument: str, actions: list[str], *, everything: bool) -> Grant:
    return Grant(
        where=f"`permissions.{argument}`",
        actions=", ".join(actions),
        every_action="*" in actions,
        every_resource=everything,
        escalates=argument == "actions" and not ESCALATING_ACTIONS.isdisjoint(actions),
    )


def _everything(subject: Subject) -> bool:
    return EVERYTHING.fullmatch(str(subject.arguments.get("scope", ""))) is not None
