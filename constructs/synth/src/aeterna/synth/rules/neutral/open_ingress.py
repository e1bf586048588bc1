"""Nothing is let in from everywhere: what has to be public stands behind a suppression that says why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.facts import Topic
from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import literals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.inventory import Inventory

EVERYWHERE: Final = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}/[0-7]|(?:2000)?::/\d")
"""A block that no network of one owner is as large as: the whole internet, or half of it."""


def _everywhere(inventory: Inventory) -> Iterator[Breach]:
    """Find what names the whole internet where its name says that it is a way in, on any cloud."""
    for subject in inventory.subjects:
        for path, text in literals(subject.arguments):
            if "/" in text and "ingress" in f"{subject.type}.{path}" and EVERYWHERE.fullmatch(text):
                yield Breach(subject=subject, sentence=f"{path} lets everybody in ({text}); name the clients")


RULE = Rule(
    id="open-ingress",
    title="Nothing lets everybody in",
    reason="Whatever listens there is found by scanners within minutes.",
    controls=Controls(cis=("4.4", "13.4"), nist=("AC-4", "SC-7", "SC-7(5)"), soc2=("CC6.6",)),
    topics=(Topic.CLIENTS,),
    check=_everywhere,
)
