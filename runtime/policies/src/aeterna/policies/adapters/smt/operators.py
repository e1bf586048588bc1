"""Cedar's operators, methods and extension functions, each as what it makes of values; a wrong type is an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

from aeterna.policies.adapters.smt import sets
from aeterna.policies.adapters.smt.addresses import ADDRESS_OPERATORS
from aeterna.policies.adapters.smt.arithmetic import NUMBER_OPERATORS
from aeterna.policies.adapters.smt.equality import equal
from aeterna.policies.adapters.smt.footprint import Footprint
from aeterna.policies.adapters.smt.outcome import ERROR, Outcome
from aeterna.policies.adapters.smt.relations import within
from aeterna.policies.adapters.smt.symbols import Symbols
from aeterna.policies.adapters.smt.values import FALSE, Plain, Value, negated
from aeterna.policies.domain.typed.types import EntityOf, Scalar, SetOfType

if TYPE_CHECKING:
    from typing import TypeGuard

    import z3

Operator = Callable[[Sequence[Value], Symbols, Footprint], Outcome]


def _truth(formula: z3.BoolRef) -> Outcome:
    return Outcome(Plain(Scalar.BOOL, formula))


def _equals(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    return _truth(equal(values[0], values[1], symbols, footprint))


def _differs(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    return _truth(negated(equal(values[0], values[1], symbols, footprint)))


def _not(values: Sequence[Value], _symbols: Symbols, _footprint: Footprint) -> Outcome:
    value = values[0]
    if value.type is not Scalar.BOOL:
        return ERROR
    return _truth(negated(cast("z3.BoolRef", cast("Plain", value).term)))


def _contains(values: Sequence[Value], _symbols: Symbols, footprint: Footprint) -> Outcome:
    set_, element = values
    return _truth(sets.contains(set_, element, footprint)) if _is_set(set_) else ERROR


def _contains_all(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    set_, other = values
    return _truth(sets.subset(other, set_, symbols, footprint)) if _is_set(set_) and _is_set(other) else ERROR


def _contains_any(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    set_, other = values
    return _truth(sets.meet(set_, other, symbols, footprint)) if _is_set(set_) and _is_set(other) else ERROR


def _is_empty(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    set_ = values[0]
    return _truth(sets.empty(set_, symbols, footprint)) if _is_set(set_) else ERROR


def _has_tag(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    entity, key = values
    if not _is_tag(entity, key):
        return ERROR
    found = symbols.tag(cast("Plain", entity), cast("Plain", key), footprint)
    return _truth(FALSE if found is None else found[0])


def _get_tag(values: Sequence[Value], symbols: Symbols, footprint: Footprint) -> Outcome:
    entity, key = values
    found = symbols.tag(cast("Plain", entity), cast("Plain", key), footprint) if _is_tag(entity, key) else None
    return ERROR if found is None else Outcome(found[1], found[0])


def _is_set(value: Value) -> TypeGuard[Plain]:
    return isinstance(value, Plain) and isinstance(value.type, SetOfType)


def _is_tag(entity: Value, key: Value) -> bool:
    return isinstance(entity.type, EntityOf) and key.type is Scalar.STRING


OPERATORS: Final[Mapping[str, Operator]] = {
    "==": _equals,
    "!=": _differs,
    "!": _not,
    "in": within,
    "contains": _contains,
    "containsAll": _contains_all,
    "containsAny": _contains_any,
    "isEmpty": _is_empty,
    "hasTag": _has_tag,
    "getTag": _get_tag,
    **NUMBER_OPERATORS,
    **ADDRESS_OPERATORS,
}
"""By the name that Cedar's JSON has for it; the encoder itself knows what evaluates no more than it must."""
