"""No secret is written into an environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.platform.rules._pods import of_containers
from aeterna.synth.rules.rule import Controls, Rule
from aeterna.synth.rules.subject import as_list, as_mapping, is_expression

if TYPE_CHECKING:
    from aeterna.platform.rules._pods import Container, Pod


SECRET: Final = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|ACCESS_KEY|CREDENTIALS|MASTER_KEY)$",
    re.IGNORECASE,
)
"""Names of variables that hold a secret. One that ends in `_FILE`, `_URL` or `_NAME` says where it is."""


def _wrong(_pod: Pod, container: Container) -> str | None:
    for variable in (as_mapping(each) for found in container.said.values("env?") for each in as_list(found)):
        name, value = str(variable.get("name", "")), variable.get("value")
        if SECRET.search(name) and isinstance(value, str) and value and not is_expression(value):
            return f"has {name} in its environment as it is; mount a file that External Secrets writes"
    return None


RULE = Rule(
    id="pod-environment-secret",
    title="No secret is written into an environment",
    reason="It is in the state, in every description of the pod, and in every child process.",
    controls=Controls(cis=("3.11", "16.1"), nist=("IA-5(7)", "SC-28"), soc2=("CC6.1",)),
    check=of_containers(_wrong),
)
