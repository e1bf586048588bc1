"""Machines without a public address reach Google's services from inside."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting, When
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import TRUE, one_of

SETTINGS: Final = {
    "google_compute_subnetwork": (
        Setting(
            path="private_ip_google_access",
            wants=TRUE,
            when=(When(path="purpose", is_=one_of("PRIVATE"), absent=True),),
        ),
    ),
}

RULE = Rule(
    id="gcp-private-google-access",
    title="Google's services are reached from inside the network",
    reason="Else the calls of every machine, to the key service as well, need a way to the internet.",
    controls=Controls(cis=("12.2", "13.4"), nist=("SC-7", "SC-7(5)"), soc2=("CC6.6",)),
    settings=SETTINGS,
)
