"""Writes the table of all rules for the guide, which a test compares with the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.packs import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aeterna.synth.rules.facts import Facts, Topic
    from aeterna.synth.rules.packs import Pack
    from aeterna.synth.rules.rule import Rule

HEAD = (
    "| rule | law | because | clouds | from | CIS | NIST 800-53 | SOC 2 |",
    "|---|---|---|---|---|---|---|---|",
)


def as_table(packs: Sequence[Pack]) -> str:
    """Return one table for each pack, as Markdown."""
    clouds = {pack.name: pack.facts for pack in packs if pack.facts}
    parts = [
        "\n".join(
            [
                f"### {pack.name}",
                "",
                *HEAD,
                *(_row(rule, _where(rule, pack, clouds)) for rule in rules_of([pack])),
            ]
        )
        for pack in packs
    ]
    return "\n\n".join(parts) + "\n"


def _where(rule: Rule, pack: Pack, clouds: Mapping[str, Facts]) -> str:
    """Return the clouds on which a rule finds something: its own, those that tell of its topics, or any."""
    if pack.name in clouds:
        return pack.name
    if rule.check is not None:
        return "any"
    return ", ".join(name for name, facts in clouds.items() if _tells(facts, rule.topics))


def _tells(facts: Facts, topics: Iterable[Topic]) -> bool:
    return any(topic in guarded for guarded in facts.guarded.values() for topic in topics)


def _row(rule: Rule, where: str) -> str:
    controls = rule.controls
    cells = (
        f"`{rule.id}`",
        rule.title,
        rule.reason,
        where,
        rule.applies_from.value,
        ", ".join(controls.cis),
        ", ".join(controls.nist),
        ", ".join(controls.soc2),
    )
    return f"| {' | '.join(cells)} |"
