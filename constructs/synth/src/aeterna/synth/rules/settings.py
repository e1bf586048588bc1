"""Checks what resources say at the places that their cloud names for a topic: most neutral rules are no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth.rules.facts import NOTHING_SAID, Setting
from aeterna.synth.rules.rule import Breach
from aeterna.synth.rules.subject import Json, Mark, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aeterna.synth.rules.facts import Requirement, Topic, When
    from aeterna.synth.rules.inventory import Inventory
    from aeterna.synth.rules.subject import Subject


def of_topic(topic: Topic, inventory: Inventory) -> Iterator[Breach]:
    """Yield what goes against what the clouds tell of a topic."""
    for terraform_type, subjects in inventory.by_type.items():
        facts = inventory.facts_of(subjects[0])
        guarded = facts.guarded.get(terraform_type, NOTHING_SAID) if facts else NOTHING_SAID
        for requirement in guarded.get(topic, ()):
            for subject in subjects:
                yield from breaches(subject, requirement, inventory)


def of_types(settings: Mapping[str, tuple[Requirement, ...]], inventory: Inventory) -> Iterator[Breach]:
    """Yield what goes against what some types have to say."""
    for terraform_type, requirements in settings.items():
        for subject in inventory.of(terraform_type):
            for requirement in requirements:
                yield from breaches(subject, requirement, inventory)


def breaches(subject: Subject, requirement: Requirement, inventory: Inventory) -> list[Breach]:
    """Return what is wrong with one resource; of several ways to say the same, one is enough."""
    if isinstance(requirement, Setting):
        return list(_of_setting(subject, requirement, inventory))
    every = [list(_of_setting(subject, way, inventory)) for way in requirement.ways]
    if not all(every):
        return []
    return every[0]


def applies(subject: Subject, conditions: Iterable[When]) -> bool:
    """Say whether a resource surely meets the conditions."""
    return all(any(_meets(value, condition) for value in subject.values(condition.path)) for condition in conditions)


def _meets(value: Json, condition: When) -> bool:
    if value is Mark.ABSENT:
        return condition.absent or condition.is_ is None
    if condition.is_ is None or value is Mark.UNKNOWN or is_expression(value):
        return False
    return condition.is_.accepts(value)


def _of_setting(subject: Subject, setting: Setting, inventory: Inventory) -> Iterator[Breach]:
    if not applies(subject, setting.when) or any(inventory.beside(subject, other) != [] for other in setting.unless):
        return
    if setting.on is None:
        yield from _said_wrong(subject, setting)
        return
    companions = inventory.beside(subject, setting.on)
    if companions == [] and not setting.absent_is_right:
        sentence = (
            f"no {setting.on.type} stands beside it; add one with `{plain(setting.path)}` set to {setting.wants.words}"
        )
        yield Breach(subject=subject, sentence=sentence)
    for companion in companions or ():
        yield from _said_wrong(companion, setting)


def _said_wrong(subject: Subject, setting: Setting) -> Iterator[Breach]:
    for value in subject.values(setting.path):
        if value is Mark.UNKNOWN or is_expression(value):
            continue
        if value is Mark.ABSENT:
            if not setting.absent_is_right:
                yield _breach(subject, setting, "is not set")
        elif not setting.wants.accepts(value):
            yield _breach(subject, setting, f"is {_shown(value)}")


def _breach(subject: Subject, setting: Setting, problem: str) -> Breach:
    return Breach(subject=subject, sentence=f"`{plain(setting.path)}` {problem}; set it to {setting.wants.words}")


def plain(path: str) -> str:
    """Return a path as Terraform's documentation writes it."""
    return path.replace("?", "")


def _shown(value: Json) -> str:
    match value:
        case bool():
            return str(value).lower()
        case "" | [] | {}:
            return "empty"
        case _:
            return str(value)
