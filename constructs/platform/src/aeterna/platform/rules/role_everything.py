"""No role of the cluster may do everything, or give itself more than it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import as_list, as_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.synth.rules.inventory import Inventory
    from aeterna.synth.rules.subject import Json

ESCALATING: Final = frozenset({"bind", "escalate", "impersonate"})
CLUSTER_ADMIN: Final = "cluster-admin"


def _too_much(inventory: Inventory) -> Iterator[Breach]:
    for kind in ("role", "cluster_role"):
        for version in ("", "_v1"):
            for role in inventory.of(f"kubernetes_{kind}{version}"):
                for rule in (as_mapping(each) for found in role.values("rule?") for each in as_list(found)):
                    wrong = _wrong(rule)
                    if wrong is not None:
                        yield Breach(subject=role, sentence=wrong)
            for binding in inventory.of(f"kubernetes_{kind}_binding{version}"):
                if binding.value("role_ref.name") == CLUSTER_ADMIN:
                    yield Breach(
                        subject=binding, sentence="it gives every right of the cluster; name a role of its own"
                    )


def _wrong(rule: Mapping[str, Json]) -> str | None:
    said = {name: {str(each) for each in as_list(rule.get(name))} for name in ("api_groups", "resources", "verbs")}
    stars = [name for name, values in said.items() if "*" in values]
    if stars:
        return f"it says * in {', '.join(f'`{name}`' for name in stars)}; name what is needed"
    escalating = sorted(said["verbs"] & ESCALATING)
    return f"it may {', '.join(escalating)}, and so give itself any right; remove that" if escalating else None


RULE = Rule(
    id="role-everything",
    title="No role of the cluster may do everything, or give itself more",
    reason="Whoever takes over one pod with it has taken over the cluster.",
    controls=Controls(cis=("5.4", "6.8"), nist=("AC-6", "AC-6(1)", "AC-6(10)"), soc2=("CC6.1", "CC6.3")),
    check=_too_much,
)
