"""The rules that only Google Cloud needs, and what Google Cloud tells the neutral ones."""

from __future__ import annotations

from aeterna.gcp.guarded import GUARDED
from aeterna.gcp.rules import (
    client_certificate,
    kubelet_port,
    legacy_authorization,
    node_account,
    node_metadata,
    private_google_access,
    project_wide_grant,
    services_stay,
    shielded_nodes,
    subnets_by_hand,
    uniform_access,
)
from aeterna.gcp.rules._grants import grants, trusts
from aeterna.gcp.rules._names import NAMES
from aeterna.gcp.rules._tags import TAGS
from aeterna.synth.rules.facts import Facts
from aeterna.synth.rules.packs import Pack

PACK = Pack(
    name="gcp",
    rules=(
        client_certificate.RULE,
        kubelet_port.RULE,
        legacy_authorization.RULE,
        node_account.RULE,
        node_metadata.RULE,
        private_google_access.RULE,
        project_wide_grant.RULE,
        services_stay.RULE,
        shielded_nodes.RULE,
        subnets_by_hand.RULE,
        uniform_access.RULE,
    ),
    facts=Facts(
        providers=frozenset({"google"}),
        guarded=GUARDED,
        names=NAMES,
        tags=TAGS,
        default_tags="default_labels",
        static_keys={
            "google_service_account_key": "workload identity federation, or impersonation",
            "google_storage_hmac_key": "an access token of IAM",
            "google_apikeys_key": "an access token of IAM",
        },
        credentials=frozenset({"access_token", "credentials"}),
        grants=grants,
        trusts=trusts,
    ),
)
