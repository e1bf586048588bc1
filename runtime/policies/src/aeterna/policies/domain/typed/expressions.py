"""Cedar's expressions as a tree, one class for each form of its language."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aeterna.cedar.domain.request import Uid

WILDCARD: Final = None
"""What stands for ``*`` in the pattern of a `Like`; every other element is text to be found as it is."""


class Variable(StrEnum):
    """What a request gives to a policy."""

    PRINCIPAL = "principal"
    ACTION = "action"
    RESOURCE = "resource"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written out; an entity is written as its uid."""

    value: bool | int | str | Uid


@dataclass(frozen=True, slots=True)
class Var:
    """One of the four variables."""

    name: Variable


@dataclass(frozen=True, slots=True)
class And:
    """``a && b && …``; each part counts only if all before it hold. A chain is one node, so long ones stay flat."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """``a || b || …``; each part counts only if none before it holds."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class IfThenElse:
    """``if condition then yes else no``; only the chosen side is evaluated."""

    condition: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """An operator, method or extension function by the name that Cedar's JSON gives it, with all its arguments."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class GetAttribute:
    """``of.name`` or ``of["name"]``."""

    of: Expression
    name: str


@dataclass(frozen=True, slots=True)
class HasAttribute:
    """``of has name``."""

    of: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Is:
    """``of is type``; ``is … in`` is written as this and an ``in``."""

    of: Expression
    type: str


@dataclass(frozen=True, slots=True)
class Like:
    """``of like "…"``; the pattern's elements are texts and `WILDCARD`."""

    of: Expression
    pattern: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class SetOf:
    """``[a, b, …]``."""

    elements: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class RecordOf:
    """``{name: value, …}``."""

    fields: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that Cedar accepts and the analysis does not know; whatever depends on it is undecided."""

    reason: str


Expression = (
    Literal | Var | And | Or | IfThenElse | Call | GetAttribute | HasAttribute | Is | Like | SetOf | RecordOf | Unread
)
