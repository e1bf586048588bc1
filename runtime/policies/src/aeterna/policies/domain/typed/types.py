"""A Cedar schema as types: what entities, actions and contexts may look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aeterna.cedar.domain.request import Uid
from aeterna.policies.domain.typed.formula import Environment


class Scalar(StrEnum):
    """Types whose values have no parts that a policy can name; the words are Cedar's."""

    BOOL = "Bool"
    LONG = "Long"
    STRING = "String"
    DECIMAL = "decimal"
    IPADDR = "ipaddr"
    DATETIME = "datetime"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class EntityOf:
    """A reference to an entity of this type, by its full name."""

    name: str


@dataclass(frozen=True, slots=True)
class SetOfType:
    """A set; the element type of ``[]`` is not known and is None."""

    element: Type | None


@dataclass(frozen=True, slots=True)
class Attribute:
    """What an attribute holds, and whether it must be there."""

    type: Type
    required: bool = True


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record with exactly these attributes, sorted by name."""

    attributes: tuple[tuple[str, Attribute], ...] = ()

    @classmethod
    def of(cls, attributes: Mapping[str, Attribute]) -> RecordType:
        """Return the type; two with the same attributes are equal, in whatever order they were written."""
        return cls(tuple(sorted(attributes.items())))

    def get(self, name: str) -> Attribute | None:
        """Return the attribute of this name, or None."""
        return next((attribute for found, attribute in self.attributes if found == name), None)


Type = Scalar | EntityOf | SetOfType | RecordType


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityType:
    """``parents`` are the types it may directly be in; ``choices`` are the only ids of an enumerated type."""

    name: str
    parents: tuple[str, ...] = ()
    attributes: RecordType = field(default_factory=RecordType)
    tags: Type | None = None
    choices: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """``groups`` are the actions it is directly in; without principal or resource types no request can name it."""

    uid: Uid
    groups: tuple[Uid, ...] = ()
    principals: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    context: RecordType = field(default_factory=RecordType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """All entity types and actions by their full names."""

    entity_types: Mapping[str, EntityType]
    actions: Mapping[Uid, Action]

    def environments(self) -> tuple[Environment, ...]:
        """Return every principal type, action and resource type that a request may combine, sorted."""
        return tuple(
            sorted(
                Environment(principal_type=principal, action=action.uid, resource_type=resource)
                for action in self.actions.values()
                for principal in action.principals
                for resource in action.resources
            )
        )

    def types_above(self, name: str) -> frozenset[str]:
        """Return the types that an entity of this one may be in, however far above; itself only if so written."""
        found: set[str] = set()
        open_ = [name]
        while open_:
            known = self.entity_types.get(open_.pop())
            for parent in known.parents if known is not None else ():
                if parent not in found:
                    found.add(parent)
                    open_.append(parent)
        return frozenset(found)

    def groups_above(self, action: Uid) -> frozenset[Uid]:
        """Return the actions that this one is in, however far above, without itself."""
        found: set[Uid] = set()
        open_ = [action]
        while open_:
            known = self.actions.get(open_.pop())
            for group in known.groups if known is not None else ():
                if group not in found:
                    found.add(group)
                    open_.append(group)
        return frozenset(found)
