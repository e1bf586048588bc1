"""Runs rules over stacks and sorts what they find: what counts, what is suppressed, and suppressions gone stale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.sizes import Size
from aeterna.synth.rules.inventory import Inventory, read
from aeterna.synth.rules.packs import Pack, facts_of, rules_of
from aeterna.synth.rules.rule import Breach, Controls, Finding, Rule, Severity
from aeterna.synth.rules.settings import of_topic, of_types
from aeterna.synth.rules.suppression import Suppression, checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aeterna.synth.rules.subject import Json

_CONTROLS: Final = Controls(cis=("4.1",), nist=("CA-5", "CM-3"), soc2=("CC3.4", "CC8.1"))

EXPIRED: Final = Rule(
    id="suppression-expired",
    title="A suppression is looked at again before it ends",
    reason="An exception that nobody looks at again becomes the rule.",
    controls=_CONTROLS,
)
UNUSED: Final = Rule(
    id="suppression-unused",
    title="A suppression suppresses something",
    reason="One that matches nothing hides what may come to stand at its path later.",
    controls=_CONTROLS,
    severity=Severity.WARNING,
)
OF_SUPPRESSIONS: Final = (EXPIRED, UNUSED)
"""What is found about the suppressions themselves, which nothing suppresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What rules found in some stacks."""

    findings: tuple[Finding, ...]
    """What counts, by stack, path and rule."""
    suppressed: tuple[tuple[Finding, Suppression], ...]
    rules: tuple[Rule, ...]
    """The rules that were asked, by id, with those about suppressions."""
    stacks: tuple[str, ...]
    resources: int

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Return the findings that stop a synthesis."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What to ask, how strictly, on which day, and what to let pass."""

    packs: tuple[Pack, ...]
    today: date
    size: Size = Size.STANDARD
    suppressions: tuple[Suppression, ...] = ()
    required_tags: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    """Ids of rules that are not asked at all."""

    def __post_init__(self) -> None:
        """Raise `InvalidSpecError` for a suppression that cannot hold, and for a rule that is not there."""
        checked(self.suppressions, known=self.known, today=self.today)
        for rule in sorted(self.without - self.known):
            problem = f"there is no rule {rule!r}"
            raise InvalidSpecError("Guardrails", "without", problem, f"name one of {', '.join(sorted(self.known))}")

    @property
    def known(self) -> frozenset[str]:
        """Return the ids of every rule."""
        return frozenset(rule.id for rule in rules_of(self.packs))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Return the rules to ask."""
        asked = (rule for rule in rules_of(self.packs) if rule.id not in self.without)
        return tuple(rule for rule in asked if rule.applies_to(self.size))

    def of_documents(self, documents: Mapping[str, Mapping[str, Json]]) -> Report:
        """Return what the rules find in synthesized documents, by the stack's path or the file's name."""
        facts = facts_of(self.packs)
        return self.of_inventories(
            [
                read(document, stack=stack, facts=facts, required_tags=self.required_tags)
                for stack, document in documents.items()
            ]
        )

    def of_inventories(self, inventories: Sequence[Inventory]) -> Report:
        """Return what the rules find in some stacks."""
        rules = self.rules
        found = [finding for inventory in inventories for rule in rules for finding in findings(rule, inventory)]
        holding = [each for each in self.suppressions if each.holds(self.today)]
        suppressed = [(finding, by) for finding in found if (by := _first(holding, finding)) is not None]
        let_pass = {id(finding) for finding, _ in suppressed}
        counted = [finding for finding in found if id(finding) not in let_pass]
        counted.extend(self._of_suppressions(found, inventories))
        return Report(
            findings=tuple(sorted(counted, key=lambda each: (each.stack, each.path, each.rule, each.message))),
            suppressed=tuple(suppressed),
            rules=tuple(sorted((*rules, *OF_SUPPRESSIONS), key=lambda rule: rule.id)),
            stacks=tuple(inventory.stack for inventory in inventories),
            resources=sum(len(inventory.subjects) for inventory in inventories),
        )

    def _of_suppressions(self, found: Sequence[Finding], inventories: Sequence[Inventory]) -> Iterable[Finding]:
        asked = {rule.id for rule in self.rules}
        for each in self.suppressions:
            if not each.holds(self.today):
                yield _about(EXPIRED, each, f"the suppression of {each.rule} ended on {each.until}; {_END}")
            elif each.rule in asked and _speaks_of(each, inventories) and not any(each.covers(one) for one in found):
                yield _about(UNUSED, each, f"the suppression of {each.rule} matches nothing; remove it")


_END: Final = "mend what it was for, or give the reason anew"


def findings(rule: Rule, inventory: Inventory) -> list[Finding]:
    """Return what one rule finds in one stack; the same sentence about the same resource once."""
    return [
        Finding(
            rule=rule.id,
            severity=rule.severity,
            stack=inventory.stack,
            address=breach.subject.address,
            path=breach.subject.path,
            message=breach.sentence,
        )
        for breach in {(each.subject.address, each.sentence): each for each in _breaches(rule, inventory)}.values()
    ]


def _breaches(rule: Rule, inventory: Inventory) -> Iterator[Breach]:
    for topic in rule.topics:
        yield from of_topic(topic, inventory)
    yield from of_types(rule.settings, inventory)
    if rule.check is not None:
        yield from rule.check(inventory)


def _first(suppressions: Iterable[Suppression], finding: Finding) -> Suppression | None:
    return next((each for each in suppressions if each.covers(finding)), None)


def _speaks_of(suppression: Suppression, inventories: Iterable[Inventory]) -> bool:
    """Say whether a suppression is about one of these stacks, and not about another one that shares the list."""
    return any(
        fnmatchcase(subject.path, suppression.path)
        or fnmatchcase(subject.address, suppression.path)
        or suppression.path.startswith(f"{inventory.stack}/")
        for inventory in inventories
        for subject in inventory.subjects
    )


def _about(rule: Rule, suppression: Suppression, message: str) -> Finding:
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        stack="",
        address="",
        path=suppression.path,
        message=message,
    )
