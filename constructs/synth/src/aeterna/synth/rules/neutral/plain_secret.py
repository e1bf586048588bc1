"""No secret is written down in a stack: it would be in the repository, the document, the plan and the state."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import literals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory

SECRET: Final = re.compile(
    r"(?:^|_)(?:passwords?|passphrase|secret_(?:string|binary|data|key)|client_secret|auth_token|access_token|sas_token"
    r"|private_key|api_key|shared_key|connection_string)(?:_wo)?$",
    re.IGNORECASE,
)
"""Names of arguments, and of variables in an environment, that say that a secret stands there."""


def _written_down(inventory: Inventory) -> Iterator[Breach]:
    for subject in inventory.subjects:
        for path, text in literals(subject.arguments):
            if text and SECRET.search(path.rpartition(".")[2]):
                sentence = (
                    f"{path} is a secret in plain text; let the service make it, or refer to an ephemeral resource"
                )
                yield Breach(subject=subject, sentence=sentence)


RULE = Rule(
    id="plain-secret",
    title="No argument holds a secret as a literal",
    reason="It would be in the repository, the document, the plan and the state.",
    controls=Controls(cis=("3.11", "16.1"), nist=("IA-5(7)", "SC-28"), soc2=("CC6.1",)),
    check=_written_down,
)
