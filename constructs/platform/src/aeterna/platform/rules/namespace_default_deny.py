"""Every namespace refuses connections that nobody allowed, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.platform.rules._selection import is_everything, selector_of
from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import Mark, addresses_in, as_list, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory
    from aeterna.synth.rules.subject import Subject

BOTH: Final = frozenset({"Ingress", "Egress"})


def _open(inventory: Inventory) -> Iterator[Breach]:
    policies = [
        policy
        for version in ("", "_v1")
        for policy in inventory.of(f"kubernetes_network_policy{version}")
        if _denies(policy)
    ]
    closed = {name for policy in policies for name in _names(policy.value("metadata.namespace"))}
    for version in ("", "_v1"):
        for namespace in inventory.of(f"kubernetes_namespace{version}"):
            named = namespace.value("metadata.name")
            if namespace.address not in closed and named not in closed and not isinstance(named, Mark):
                sentence = "its pods speak to anybody; add a `kubernetes_network_policy_v1` that denies both directions"
                yield Breach(subject=namespace, sentence=sentence)


def _denies(policy: Subject) -> bool:
    """Say whether a policy is about every pod, and allows nothing."""
    types = {str(each) for each in as_list(policy.value("spec.policy_types"))}
    nothing = all(policy.value(f"spec.{way}") in (Mark.ABSENT, [], {}) for way in ("ingress", "egress"))
    return types >= BOTH and nothing and is_everything(selector_of(policy, "spec.pod_selector"))


def _names(namespace: object) -> set[str]:
    """Return the namespace's name, or the address of the resource that it is taken from."""
    return addresses_in(namespace) if is_expression(namespace) else {str(namespace)}


RULE = Rule(
    id="namespace-default-deny",
    title="Every namespace refuses connections that nobody allowed",
    reason="Without it each pod that is taken over looks around in the whole network.",
    controls=Controls(cis=("4.4", "13.4"), nist=("AC-4", "SC-7", "SC-7(5)"), soc2=("CC6.6",)),
    check=_open,
)
