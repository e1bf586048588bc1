"""Names keep the limits of their services, so that they are refused here and not half-way through an apply."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aeterna.synth.rules.rule import Breach, Controls, Rule
from aeterna.synth.rules.subject import EXPRESSION, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.synth.rules.facts import Name
    from aeterna.synth.rules.inventory import Inventory

_BLANK: Final = ""


def _beyond(inventory: Inventory) -> Iterator[Breach]:
    for terraform_type, subjects in inventory.by_type.items():
        facts = inventory.facts_of(subjects[0])
        for name in facts.names.get(terraform_type, ()) if facts else ():
            for subject in subjects:
                for text in subject.values(name.path):
                    problem = _problem(text, name) if isinstance(text, str) else None
                    if problem is not None:
                        yield Breach(subject=subject, sentence=f"`{name.path}` {problem}")


def _problem(text: str, name: Name) -> str | None:
    """Say what is wrong with a name; of one that is known only in part, only what no other part can mend."""
    written = EXPRESSION.sub(_BLANK, text)
    if is_expression(written):
        return None  # an expression inside an expression: nobody can say how long it will be
    if len(written) > name.longest:
        return f"has {len(written)} characters ({text}); use at most {name.longest}"
    if is_expression(text):
        return None
    if len(text) < name.shortest:
        return f"has {len(text)} characters ({text}); use at least {name.shortest}"
    if re.fullmatch(name.pattern, text) is None:
        return f"is {text!r}, which the service refuses; use a name of the form {name.pattern}"
    return None


RULE = Rule(
    id="name-length",
    title="Names keep the limits of their services",
    reason="A name that is too long is refused half-way through an apply, or cut so that two become one.",
    controls=Controls(cis=("4.1",), nist=("CM-2", "CM-6"), soc2=("CC8.1",)),
    check=_beyond,
)
