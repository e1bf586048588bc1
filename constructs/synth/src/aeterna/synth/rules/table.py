"""Writes the table of all rules for the guide, which a test compares with the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.packs import rules_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.synth.rules.packs import Pack
    from aeterna.synth.rules.rule import Rule

HEAD = (
    "| rule | law | because | from | CIS | NIST 800-53 | SOC 2 |",
    "|---|---|---|---|---|---|---|",
)


def as_table(packs: Sequence[Pack]) -> str:
    """Return one table for each pack, as Markdown."""
    parts = [
        "\n".join([f"### {pack.name.capitalize()}", "", *HEAD, *(_row(rule) for rule in rules_of([pack]))])
        for pack in packs
    ]
    return "\n\n".join(parts) + "\n"


def _row(rule: Rule) -> str:
    controls = rule.controls
    cells = (
        f"`{rule.id}`",
        rule.title,
        rule.reason,
        rule.applies_from.value,
        ", ".join(controls.cis),
        ", ".join(controls.nist),
        ", ".join(controls.soc2),
    )
    return f"| {' | '.join(cells)} |"
