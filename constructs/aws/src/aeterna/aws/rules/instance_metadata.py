"""Machines give their credentials only to who asks with a session token, and not to pods (IMDSv2)."""

from __future__ import annotations

from typing import Final

from aeterna.synth.rules.facts import Setting, When
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.wanted import between, none_of, one_of

_ON: Final = (When(path="metadata_options?.http_endpoint", is_=none_of("disabled", words="enabled"), absent=True),)
_SETTINGS: Final = (
    Setting(path="metadata_options.http_tokens", wants=one_of("required", weaker="optional"), when=_ON),
    Setting(path="metadata_options.http_put_response_hop_limit", wants=between(1, 1), when=_ON),
)
SETTINGS: Final = {"aws_launch_template": _SETTINGS, "aws_instance": _SETTINGS}

RULE = Rule(
    id="aws-instance-metadata",
    title="A machine's metadata needs a session token and stays on the machine (IMDSv2)",
    reason="Through one forged request, or from any pod, the credentials of the node are read (CIS AWS 3.0, 5.6).",
    controls=Controls(cis=("4.1", "6.8"), nist=("AC-3", "AC-6", "CM-6"), soc2=("CC6.1", "CC6.6")),
    settings=SETTINGS,
)
