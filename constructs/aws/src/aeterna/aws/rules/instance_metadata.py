"""Machines give their credentials only to who asks with a session token, and not to pods (IMDSv2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.facts import Setting, When
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.settings import breaches
from aeterna.synth.rules.wanted import between, none_of, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory
    from aeterna.synth.rules.rule import Breach

TYPES: Final = ("aws_launch_template", "aws_instance")
_ON: Final = (When(path="metadata_options?.http_endpoint", is_=none_of("disabled", words="enabled"), absent=True),)
SETTINGS: Final = (
    Setting(path="metadata_options.http_tokens", wants=one_of("required", weaker="optional"), when=_ON),
    Setting(path="metadata_options.http_put_response_hop_limit", wants=between(1, 1), when=_ON),
)


def _answering(inventory: Inventory) -> Iterator[Breach]:
    for terraform_type in TYPES:
        for subject in inventory.of(terraform_type):
            for setting in SETTINGS:
                yield from breaches(subject, setting, inventory)


RULE = Rule(
    id="aws-instance-metadata",
    title="A machine's metadata needs a session token and stays on the machine (IMDSv2)",
    reason="Through one forged request, or from any pod, the credentials of the node are read (CIS AWS 5.6).",
    controls=Controls(cis=("4.1", "6.8"), nist=("AC-3", "AC-6", "CM-6"), soc2=("CC6.1", "CC6.6")),
    check=_answering,
)
