"""Everything that can carry tags carries those that say whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import Json, Mark, as_list, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.synth.rules.facts import Facts
    from aeterna.synth.rules.inventory import Inventory
    from aeterna.synth.rules.subject import Subject


def _untagged(inventory: Inventory) -> Iterator[Breach]:
    for terraform_type, subjects in inventory.by_type.items():
        facts = inventory.facts_of(subjects[0])
        argument = facts.tags.get(terraform_type) if facts else None
        if facts is None or argument is None:
            continue
        defaults = _defaults(inventory, facts)
        for subject in subjects:
            own = _keys(subject.value(argument))
            if own is None or defaults is None:
                continue
            missing = inventory.required_tags - own - defaults
            if missing:
                yield _breach(subject, argument, f"lacks {', '.join(sorted(missing))}; add it")
            elif not own and not defaults:
                yield _breach(subject, argument, "is empty; say whose it is")


def _breach(subject: Subject, argument: str, problem: str) -> Breach:
    return Breach(subject=subject, sentence=f"`{argument}` {problem}")


def _keys(tags: Json) -> frozenset[str] | None:
    """Return the keys, or None where they are known only at apply."""
    if tags is Mark.UNKNOWN or is_expression(tags):
        return None
    return frozenset(cast("Mapping[str, Json]", tags)) if isinstance(tags, dict) else frozenset()


def _defaults(inventory: Inventory, facts: Facts) -> frozenset[str] | None:
    """Return the keys that every provider of the cloud adds by itself, or None where they are known only at apply."""
    if facts.default_tags is None:
        return frozenset()
    keys: list[frozenset[str]] = []
    for name in sorted(facts.providers & inventory.providers.keys()):
        for configuration in inventory.providers[name]:
            found = _keys(_at(configuration, facts.default_tags))
            if found is None:
                return None
            keys.append(found)
    return keys[0].intersection(*keys[1:]) if keys else frozenset()


def _at(configuration: Json, path: str) -> Json:
    found = configuration
    for name in path.split("."):
        block = next(iter(as_list(found)), None)
        found = cast("Mapping[str, Json]", block).get(name) if isinstance(block, dict) else None
    return found


RULE = Rule(
    id="tagged",
    title="Everything that can carry tags says whose it is",
    reason="Who owns a resource is asked when it costs too much, and when it is attacked.",
    controls=Controls(cis=("1.1", "3.2"), nist=("CM-8", "PM-5"), soc2=("CC2.1", "CC6.1")),
    check=_untagged,
)
