"""Every pod has an account of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.platform.rules._pods import known, of_pods
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.subject import Mark

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Pod


def _wrong(pod: Pod) -> str | None:
    account = known(pod.said, "service_account_name")
    if account in (Mark.ABSENT, "", "default"):
        return "its pods share the namespace's account; set `service_account_name` to one of their own"
    return None


RULE = Rule(
    id="pod-service-account",
    title="Every pod has an account of its own",
    reason="What is given to the shared account is given to whatever runs in the namespace later.",
    controls=Controls(cis=("5.4", "6.8"), nist=("AC-6", "IA-9"), soc2=("CC6.1", "CC6.3")),
    check=of_pods(_wrong),
)
