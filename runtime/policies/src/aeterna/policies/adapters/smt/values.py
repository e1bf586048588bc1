"""Cedar's values as z3 terms, and the connectives that fold what is known already.

Numbers are z3's integers and carry Cedar's bounds as facts beside them: overflow is an error, never a wrap. Strings,
entities and sets are terms of uninterpreted sorts: all that Cedar can do with them but ``like`` is to compare them, and
that is exact there. Records are taken apart, so z3 never sees one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

import z3

from aeterna.policies.domain.typed.types import EntityOf, RecordType, Scalar, SetOfType, Type

TRUE: Final = z3.BoolVal(True)
FALSE: Final = z3.BoolVal(False)
LEAST: Final = -(2**63)
GREATEST: Final = 2**63 - 1
ADDRESS_BITS: Final = 128
_Term = TypeVar("_Term", bound=z3.ExprRef)


@dataclass(frozen=True, slots=True)
class Truth:
    """A boolean."""

    term: z3.BoolRef
    type: Final = Scalar.BOOL


@dataclass(frozen=True, slots=True)
class Number:
    """A long, or a decimal, datetime or duration by the long that it is inside."""

    type: Scalar
    term: z3.ArithRef


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    term: z3.ExprRef
    type: Final = Scalar.STRING


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity by its uid."""

    type: EntityOf
    term: z3.ExprRef


@dataclass(frozen=True, slots=True)
class SetTerm:
    """A set; what it holds is said by `sets`."""

    type: SetOfType
    term: z3.ExprRef


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address with its prefix: the family, 128 bits of which IPv4 uses the lowest 32, and the prefix's length."""

    six: z3.BoolRef
    bits: z3.BitVecRef
    prefix: z3.BitVecRef
    type: Final = Scalar.IPADDR


@dataclass(frozen=True, slots=True)
class Record:
    """A record by its attributes: whether each is present, and its value if so."""

    type: RecordType
    fields: Mapping[str, tuple[z3.BoolRef, Value]]


Value = Truth | Number | Text | Entity | SetTerm | Address | Record


def all_of(*parts: z3.BoolRef) -> z3.BoolRef:
    """Return the conjunction."""
    left = [part for part in parts if part is not TRUE]
    if any(part is FALSE for part in left):
        return FALSE
    return TRUE if not left else left[0] if len(left) == 1 else z3.And(left)


def any_of(*parts: z3.BoolRef) -> z3.BoolRef:
    """Return the disjunction."""
    left = [part for part in parts if part is not FALSE]
    if any(part is TRUE for part in left):
        return TRUE
    return FALSE if not left else left[0] if len(left) == 1 else z3.Or(left)


def negated(part: z3.BoolRef) -> z3.BoolRef:
    """Return the negation."""
    return FALSE if part is TRUE else TRUE if part is FALSE else z3.Not(part)


def implied(condition: z3.BoolRef, then: z3.BoolRef) -> z3.BoolRef:
    """Return that ``then`` holds if the condition does."""
    return any_of(negated(condition), then)


def known(value: bool) -> z3.BoolRef:  # noqa: FBT001 - the value is what it is about
    """Return the constant."""
    return TRUE if value else FALSE


def sort_of(type_: Scalar | EntityOf | SetOfType) -> z3.SortRef[z3.ExprRef]:
    """Return the uninterpreted sort of strings, of a type of entities, or of sets of one type."""
    return z3.DeclareSort(name_of(type_))


def applied(name: str, arguments: Sequence[z3.ExprRef], sort: z3.SortRef[_Term]) -> _Term:
    """Return the term that a function of this name has for these arguments; without any it is a constant."""
    if not arguments:
        return z3.Const(name, sort)
    # z3 reads the sort of the result from the last argument, which is more than types can say of many arguments.
    function = z3.Function(name, *(argument.sort() for argument in arguments), sort)
    return cast("_Term", function(*arguments))


def name_of(type_: Type) -> str:
    """Return a name that no other type has."""
    if isinstance(type_, SetOfType):
        return f"Set<{name_of(type_.element) if type_.element is not None else ''}>"
    if isinstance(type_, RecordType):
        parts = (f"{name!r}{'' if found.required else '?'}:{name_of(found.type)}" for name, found in type_.attributes)
        return "{" + ",".join(parts) + "}"
    return f"entity {type_.name}" if isinstance(type_, EntityOf) else type_.value


def leaves(value: Value) -> list[z3.ExprRef]:
    """Return the terms that together are the value; those of an absent attribute are the same for all values."""
    if isinstance(value, Address):
        return [value.six, value.bits, value.prefix]
    if not isinstance(value, Record):
        return [value.term]
    found: list[z3.ExprRef] = []
    for name, attribute in value.type.attributes:
        present, inner = value.fields[name]
        terms = leaves(inner)
        if attribute.required:
            found.extend(terms)
        else:
            found.append(present)
            found.extend(z3.If(present, term, _absent(term.sort())) for term in terms)
    return found


def _absent(sort: z3.SortRef[z3.ExprRef]) -> z3.ExprRef:
    if sort.kind() == z3.Z3_INT_SORT:
        return z3.IntVal(0)
    if sort.kind() == z3.Z3_BOOL_SORT:
        return FALSE
    if isinstance(sort, z3.BitVecSortRef):
        return z3.BitVecVal(0, sort)
    return z3.Const("absent", sort)
