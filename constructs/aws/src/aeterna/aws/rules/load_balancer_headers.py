"""Load balancers drop what smuggles requests past them."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting, When
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import TRUE, none_of, one_of

_HTTP: Final = (When(path="load_balancer_type", is_=one_of("application"), absent=True),)
SETTINGS: Final = {
    "aws_lb": (
        Setting(path="drop_invalid_header_fields", wants=TRUE, when=_HTTP),
        Setting(
            path="desync_mitigation_mode",
            wants=none_of("monitor", words="defensive or strictest"),
            absent_is_right=True,
            when=_HTTP,
        ),
    ),
}

RULE = Rule(
    id="aws-load-balancer-headers",
    title="A load balancer drops invalid headers",
    reason="What the balancer and the service read differently carries one caller's request into another's.",
    controls=Controls(cis=("4.1", "13.10"), nist=("SC-7", "SI-10"), soc2=("CC6.6",)),
    settings=SETTINGS,
)
