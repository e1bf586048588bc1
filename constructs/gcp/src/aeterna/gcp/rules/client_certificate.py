"""A cluster issues no certificate to log in with: it could not be taken back."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import FALSE

SETTINGS: Final = {
    "google_container_cluster": (
        Setting(
            path="master_auth?.client_certificate_config?.issue_client_certificate", wants=FALSE, absent_is_right=True
        ),
    ),
}

RULE = Rule(
    id="gcp-client-certificate",
    title="A cluster issues no client certificate",
    reason="A certificate that leaks opens the cluster for years, and nothing can revoke it.",
    controls=Controls(cis=("5.2", "6.7"), nist=("IA-5", "IA-5(2)", "AC-2"), soc2=("CC6.1",)),
    settings=SETTINGS,
)
