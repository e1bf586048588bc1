"""Finds the packs of rules that are installed: the neutral one, and one for each cloud that offers an entry point."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.facts import Facts
from aeterna.synth.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


GROUP: Final = "aeterna.rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Rules that belong together, and what a cloud tells the neutral rules."""

    name: str
    rules: tuple[Rule, ...]
    facts: Facts | None = None


def installed() -> tuple[Pack, ...]:
    """Return the neutral pack and those of the installed clouds, by name."""
    from aeterna.synth.rules.neutral import PACK  # noqa: PLC0415 - the neutral rules stand on this package

    found: dict[str, Pack] = {point.name: point.load() for point in entry_points(group=GROUP)}
    return (PACK, *(found[name] for name in sorted(found)))


def rules_of(packs: Sequence[Pack]) -> tuple[Rule, ...]:
    """Return every rule, by its id."""
    return tuple(sorted((rule for pack in packs for rule in pack.rules), key=lambda rule: rule.id))


def facts_of(packs: Sequence[Pack]) -> Mapping[str, Facts]:
    """Return what the clouds tell, by the prefix of the types that it is about."""
    return {provider: pack.facts for pack in packs if pack.facts for provider in pack.facts.providers}
