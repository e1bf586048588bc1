"""The rules that only Azure needs, and what Azure tells the neutral ones."""

from __future__ import annotations

from aeterna.azure.guarded import GUARDED
from aeterna.azure.rules import (
    cluster_policy,
    cluster_roles,
    double_encryption,
    host_encryption,
    local_accounts,
    open_port,
    outbound_access,
    run_command,
    storage_keys,
    vault_roles,
)
from aeterna.azure.rules._grants import grants, trusts
from aeterna.azure.rules._names import NAMES
from aeterna.azure.rules._tags import TAGS
from aeterna.synth.rules.facts import Facts
from aeterna.synth.rules.packs import Pack

PACK = Pack(
    name="azure",
    rules=(
        cluster_policy.RULE,
        cluster_roles.RULE,
        double_encryption.RULE,
        host_encryption.RULE,
        local_accounts.RULE,
        open_port.RULE,
        outbound_access.RULE,
        run_command.RULE,
        storage_keys.RULE,
        vault_roles.RULE,
    ),
    facts=Facts(
        providers=frozenset({"azurerm", "azuread"}),
        guarded=GUARDED,
        names=NAMES,
        tags=TAGS,
        static_keys={
            "azuread_application_password": "a federated credential",
            "azuread_service_principal_password": "a federated credential",
        },
        credentials=frozenset({"client_certificate", "client_certificate_password", "client_secret"}),
        grants=grants,
        trusts=trusts,
    ),
)
