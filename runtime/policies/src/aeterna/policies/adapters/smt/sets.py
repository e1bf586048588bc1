"""Sets as terms of which z3 knows only what they hold, of the elements that matter.

What Cedar says of sets (equal, subset, meet, empty) speaks of all elements. Each such atom gets a witness: an element
that shows it or shows the opposite. Saying the rest of the elements that occur, witnesses included, is exact: a model
cut down to them is a model, and its sets are finite (the usual argument for the array property fragment).
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import z3

from aeterna.policies.adapters.smt.footprint import SetAtom, SetLiteral, SetRelation
from aeterna.policies.adapters.smt.values import (
    Record,
    SetTerm,
    all_of,
    any_of,
    applied,
    implied,
    leaves,
    name_of,
    negated,
)
from aeterna.policies.domain.typed.types import RecordType, SetOfType
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aeterna.policies.adapters.smt.footprint import Footprint
    from aeterna.policies.adapters.smt.symbols import Symbols
    from aeterna.policies.adapters.smt.values import Value
    from aeterna.policies.domain.typed.types import Type


_MAX_ELEMENTS: Final = 60
"""Elements of one type in one question; above it, so many axioms would be needed that time is better spent."""


def literal(elements: Sequence[Value], symbols: Symbols, footprint: Footprint) -> SetTerm:
    """Return the set that is written out, or raise `UndecidedError` if its elements have no one type."""
    types = {element.type for element in elements}
    if len(types) != 1:
        raise UndecidedError("a set literal is empty or has elements of several types")
    found = symbols.fresh_set(SetOfType(types.pop()))
    footprint.set_literals[found.term.get_id()] = SetLiteral(found, tuple(elements))
    for element in elements:
        note(element, footprint)
    return found


def contains(set_: SetTerm, element: Value, footprint: Footprint) -> z3.BoolRef:
    """Return whether the set has the element."""
    _check(_element(set_), element.type)
    note(element, footprint)
    return has(set_, element)


def empty(set_: SetTerm, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    """Return whether the set has no element."""
    return _atom(SetRelation.EMPTY, set_, set_, symbols, footprint)


def subset(left: SetTerm, right: SetTerm, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    """Return whether the right set has all elements of the left one."""
    return _atom(SetRelation.SUBSET, left, right, symbols, footprint)


def meet(left: SetTerm, right: SetTerm, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    """Return whether the sets have an element in common."""
    return _atom(SetRelation.MEET, left, right, symbols, footprint)


def same_set(left: SetTerm, right: SetTerm, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    """Return whether the sets have the same elements."""
    return _atom(SetRelation.EQUAL, left, right, symbols, footprint)


def set_axioms(footprint: Footprint, symbols: Symbols) -> Iterator[z3.BoolRef]:
    """Yield what the set literals and atoms mean for the elements that occur. Adds to the footprint what it needs."""
    _compare_elements(footprint, symbols)
    for elements in footprint.elements.values():
        if len(elements) > _MAX_ELEMENTS:
            raise UndecidedError(f"more than {_MAX_ELEMENTS} elements of sets would have to be told apart")
    for written in footprint.set_literals.values():
        for element in tuple(footprint.elements.get(_element(written.set), {}).values()):
            one_of = any_of(*(_same_leaves(element, other) for other in written.elements))
            yield has(written.set, element) == one_of
    for atom in tuple(footprint.set_atoms.values()):
        yield from _meaning(atom, footprint)


def _meaning(atom: SetAtom, footprint: Footprint) -> Iterator[z3.BoolRef]:
    left, right, witness = atom.left, atom.right, atom.witness
    elements = tuple(footprint.elements.get(_element(left), {}).values())
    holds, fails = atom.atom, negated(atom.atom)
    if atom.relation is SetRelation.EMPTY:
        yield implied(fails, has(left, witness))
        yield from (implied(holds, negated(has(left, element))) for element in elements)
    elif atom.relation is SetRelation.SUBSET:
        yield implied(fails, all_of(has(left, witness), negated(has(right, witness))))
        yield from (implied(all_of(holds, has(left, element)), has(right, element)) for element in elements)
    elif atom.relation is SetRelation.MEET:
        yield implied(holds, all_of(has(left, witness), has(right, witness)))
        yield from (implied(fails, negated(all_of(has(left, one), has(right, one)))) for one in elements)
    else:
        yield holds == (left.term == right.term)
        yield implied(fails, negated(has(left, witness) == has(right, witness)))


def _compare_elements(footprint: Footprint, symbols: Symbols) -> None:
    """Give each two sets that are elements of sets an atom that says that they are equal when their elements are.

    The witnesses of those atoms are elements of the inner type, so outer types go first.
    """
    for type_ in sorted(footprint.elements, key=_depth, reverse=True):
        if _depth(type_) == 0:
            return
        for one, other in combinations(tuple(footprint.elements[type_].values()), 2):
            for left, right in zip(_sets(one), _sets(other), strict=True):
                same_set(left, right, symbols, footprint)


def _sets(value: Value) -> list[SetTerm]:
    """Return the sets within a value, in the order of its type."""
    if isinstance(value, SetTerm):
        return [value]
    if not isinstance(value, Record):
        return []
    return [found for name, _ in value.type.attributes for found in _sets(value.fields[name][1])]


def _depth(type_: Type) -> int:
    if isinstance(type_, SetOfType):
        return 1 + (_depth(type_.element) if type_.element is not None else 0)
    if isinstance(type_, RecordType):
        return max((_depth(found.type) for _, found in type_.attributes), default=0)
    return 0


def _atom(relation: SetRelation, left: SetTerm, right: SetTerm, symbols: Symbols, footprint: Footprint) -> z3.BoolRef:
    _check(_element(left), _element(right))
    witness = symbols.fresh(_element(left), footprint)
    note(witness, footprint)
    atom = z3.FreshBool()
    footprint.set_atoms[atom.get_id()] = SetAtom(relation, atom, left, right, witness)
    return atom


def note(element: Value, footprint: Footprint) -> None:
    """Let the axioms speak of this element of sets."""
    key = tuple(leaf.get_id() for leaf in leaves(element))
    footprint.elements.setdefault(element.type, {})[key] = element


def has(set_: SetTerm, element: Value) -> z3.BoolRef:
    """Return the atom that says that the set has the element."""
    return applied(f"element of {name_of(set_.type)}", (set_.term, *leaves(element)), z3.BoolSort())


def _same_leaves(one: Value, other: Value) -> z3.BoolRef:
    return all_of(*(left == right for left, right in zip(leaves(one), leaves(other), strict=True)))


def _element(set_: SetTerm) -> Type:
    element = set_.type.element
    if element is None:
        raise UndecidedError("a set has no type of element")
    return element


def _check(expected: Type, found: Type) -> None:
    if expected != found:
        raise UndecidedError("a set is asked for a value of another type than its elements")
