"""No output tells a secret without being marked as sensitive."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import Json, Subject, as_flag, expressions_in, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.synth.rules.inventory import Inventory

ATTRIBUTE: Final = re.compile(
    r"\.(?:\w+_)?(?:password|secret_string|secret_data|auth_token|auth_string|private_key|private_key_pem|client_key"
    r"|access_key|primary_key|secondary_key|connection_string|kube_config_raw|kube_admin_config_raw|client_secret)\b"
)


def _told(inventory: Inventory) -> Iterator[Breach]:
    for name, output in inventory.outputs.items():
        if as_flag(output.get("sensitive")):
            continue
        for _, text in texts(output.get("value")):
            if any(ATTRIBUTE.search(inside) for inside in expressions_in(text)):
                yield Breach(subject=_output(name, output), sentence=f"{text} is a secret; keep it out of the outputs")


def _output(name: str, output: Mapping[str, Json]) -> Subject:
    path = str(output.get("//", {}).get("metadata", {}).get("path", f"output.{name}"))
    return Subject(address=f"output.{name}", path=path, type="output", arguments=output)


RULE = Rule(
    id="secret-output",
    title="No output tells a secret",
    reason="Outputs are printed after every apply, into terminals and the logs of pipelines.",
    controls=Controls(cis=("3.11", "16.1"), nist=("IA-5(7)", "SC-28"), soc2=("CC6.1",)),
    check=_told,
)
