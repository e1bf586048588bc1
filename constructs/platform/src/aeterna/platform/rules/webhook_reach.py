"""No webhook that may refuse is asked about the namespaces in which the cluster itself runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.platform.rules._selection import takes
from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import as_list, as_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.synth.rules.inventory import Inventory
    from aeterna.synth.rules.subject import Json

SYSTEM: Final = ("kube-system", "kube-public", "kube-node-lease")
KINDS: Final = ("mutating", "validating")
NAME: Final = "kubernetes.io/metadata.name"


def _locking_out(inventory: Inventory) -> Iterator[Breach]:
    for kind in KINDS:
        for version in ("", "_v1"):
            for subject in inventory.of(f"kubernetes_{kind}_webhook_configuration{version}"):
                for found in subject.values("webhook"):
                    for webhook in map(as_mapping, as_list(found)):
                        reached = _reached(webhook)
                        if reached:
                            name, where = webhook.get("name", "?"), ", ".join(reached)
                            sentence = f"webhook {name} is asked in {where}; leave them out by `namespace_selector`"
                            yield Breach(subject=subject, sentence=sentence)


def _reached(webhook: Mapping[str, Json]) -> list[str]:
    if webhook.get("failure_policy", "Fail") == "Ignore":
        return []
    return [name for name in SYSTEM if takes(webhook.get("namespace_selector"), {NAME: name})]


RULE = Rule(
    id="webhook-reach",
    title="No webhook that may refuse is asked about the cluster's own namespaces",
    reason="While it does not answer, nothing starts there: not the network, and not what the webhook needs to start.",
    controls=Controls(cis=("4.1", "11.1"), nist=("CP-10", "SI-13"), soc2=("A1.2",)),
    check=_locking_out,
)
