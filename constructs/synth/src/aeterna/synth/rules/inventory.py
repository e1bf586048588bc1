"""All resources of one stack, found by type, by address and by what points at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from aeterna.synth.rules.facts import Facts
from aeterna.synth.rules.subject import DATA, Json, Mark, Subject, addresses_in, as_list, as_mapping, is_expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aeterna.synth.rules.facts import Companion


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """A stack as the rules see it."""

    stack: str
    subjects: tuple[Subject, ...]
    providers: Mapping[str, tuple[Mapping[str, Json], ...]] = field(default_factory=dict[str, "tuple[Json, ...]"])
    """The configurations of each provider, by its name."""
    outputs: Mapping[str, Mapping[str, Json]] = field(default_factory=dict[str, "Mapping[str, Json]"])
    facts: Mapping[str, Facts] = field(default_factory=dict[str, "Facts"])
    """What is known of the types, by their prefix."""
    required_tags: frozenset[str] = frozenset()

    @cached_property
    def by_type(self) -> Mapping[str, list[Subject]]:
        """Return the resources by their type."""
        found: dict[str, list[Subject]] = defaultdict(list)
        for subject in self.subjects:
            found[subject.type].append(subject)
        return dict(found)

    def of(self, terraform_type: str) -> Sequence[Subject]:
        """Return the resources of one type."""
        return self.by_type.get(terraform_type, ())

    def facts_of(self, subject: Subject) -> Facts | None:
        """Return what the subject's cloud tells of its resources, if that cloud is installed."""
        return self.facts.get(subject.provider)

    def beside(self, subject: Subject, companion: Companion) -> list[Subject] | None:
        """Return the companions that point at a resource, or None where one of them may and nobody can know yet."""
        pointing, may_point = self._pointing(companion)
        found = list(pointing.get(subject.address, ()))
        for name in _names(subject):
            found.extend(each for each in pointing.get(name, ()) if each not in found)
        return found if found or not may_point else None

    @cached_property
    def _pointers(self) -> dict[Companion, tuple[Mapping[str, list[Subject]], bool]]:
        return {}

    def _pointing(self, companion: Companion) -> tuple[Mapping[str, list[Subject]], bool]:
        """Return the companions by what they point at, and whether one points at what is not known yet."""
        known = self._pointers.get(companion)
        if known is None:
            known = self._pointers[companion] = self._read_pointers(companion)
        return known

    def _read_pointers(self, companion: Companion) -> tuple[Mapping[str, list[Subject]], bool]:
        found: dict[str, list[Subject]] = defaultdict(list)
        may_point = False
        for each in self.of(companion.type):
            for target in each.values(companion.by):
                for text in as_list(target):
                    addresses = addresses_in(text)
                    for name in {*addresses, str(text)}:
                        found[name].append(each)
                    may_point = may_point or (is_expression(text) and not addresses)
                may_point = may_point or target is Mark.UNKNOWN
        return found, may_point


def _names(subject: Subject) -> Iterable[str]:
    """Return the names by which another resource may mean this one, as they are written."""
    for argument in ("bucket", "name", "identifier", "id"):
        said = subject.arguments.get(argument)
        if isinstance(said, str):
            yield said


def read(
    document: Mapping[str, Json],
    *,
    stack: str,
    facts: Mapping[str, Facts],
    required_tags: frozenset[str] = frozenset(),
) -> Inventory:
    """Return the inventory of a synthesized document (``cdk.tf.json``), with or without the engine's metadata."""
    return Inventory(
        stack=stack,
        subjects=tuple(_subjects(document)),
        providers={
            name: tuple(as_mapping(block) for block in as_list(blocks))
            for name, blocks in as_mapping(document.get("provider")).items()
        },
        outputs={name: as_mapping(output) for name, output in as_mapping(document.get("output")).items()},
        facts=facts,
        required_tags=required_tags,
    )


def _subjects(document: Mapping[str, Json]) -> Iterable[Subject]:
    for kind, prefix in (("resource", ""), ("data", DATA)):
        for terraform_type, named in as_mapping(document.get(kind)).items():
            for name, written in as_mapping(named).items():
                for arguments in as_list(written):
                    yield _subject(f"{prefix}{terraform_type}", name, as_mapping(arguments))


def _subject(terraform_type: str, name: str, arguments: Mapping[str, Json]) -> Subject:
    address = f"{terraform_type}.{name}"
    metadata = as_mapping(as_mapping(arguments.get("//")).get("metadata"))
    path = str(metadata.get("path", address))
    return Subject(address=address, path=path, type=terraform_type, arguments=arguments)
