"""A cluster decides by RBAC, and not by the older way that knows only all or nothing."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import FALSE

SETTINGS: Final = {
    "google_container_cluster": (
        Setting(path="enable_legacy_abac", wants=FALSE, absent_is_right=True),
        Setting(
            path="rbac_binding_config?.enable_insecure_binding_system_unauthenticated",
            wants=FALSE,
            absent_is_right=True,
        ),
    ),
}

RULE = Rule(
    id="gcp-legacy-authorization",
    title="A cluster decides by RBAC alone",
    reason="Under the older way every account of a cluster may do almost anything in it.",
    controls=Controls(cis=("6.8", "4.8"), nist=("AC-3", "AC-6", "CM-7"), soc2=("CC6.1", "CC6.3")),
    settings=SETTINGS,
)
