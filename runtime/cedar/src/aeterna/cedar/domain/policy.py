"""One policy: what it is called, to which requests it can apply, and how far into the entities it can look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.entity import Key, references
from aeterna.contracts.json_value import array_of, is_array, is_object, object_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# How a scope, and a request, name what they are about. A request has every key of a scope that it fits.
ANY: Final[Key] = ()
_EQUAL: Final = "=="
_IN: Final = "in"
# Operators of Cedar's JSON that look into an entity: its attributes, its tags or what it is in. Their operand `left`
# is the entity.
_LOOKS: Final = frozenset({".", "has", "getTag", "hasTag", "in"})
_OPERAND: Final = "left"
_ENTITY: Final = "__entity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy, ready to be indexed and parsed.

    ``source`` is Cedar's JSON form, or None where that is nested too deeply for Cedar to read it back and ``text`` must
    be parsed. ``principal`` and ``resource`` are the keys of the scope, ``action`` those of which one has to fit.
    ``reach`` counts how many entities a condition may go through, one leading to the next, and is at least 1, since a
    scope looks at what the principal and the resource are in. ``literals`` are the entities that conditions name and
    look into.
    """

    name: str
    source: str | None
    text: str
    principal: Key
    action: tuple[Key, ...]
    resource: Key
    reach: int
    literals: frozenset[Key]


def action_keys(constraint: Mapping[str, object]) -> tuple[Key, ...]:
    """Return the keys of which an action needs one to fit this part of a scope, given in Cedar's JSON form."""
    match constraint:
        case {"op": "in", "entities": entities}:
            return tuple(dict.fromkeys(_uid(entity) for entity in array_of(entities)))
        case _:
            return (entity_key(constraint),)


def entity_key(constraint: Mapping[str, object]) -> Key:
    """Return the key that an entity needs to fit this part of a scope, given in Cedar's JSON form."""
    match constraint:
        case {"op": "All"}:
            return ANY
        case {"op": "==", "entity": entity}:
            return (*_uid(entity), _EQUAL)
        case {"op": "in", "entity": entity}:
            return _uid(entity)
        case {"op": "is", "entity_type": str(type_), "in": within} if is_object(within) and "entity" in within:
            return (type_, *_uid(within["entity"]), _IN)
        case {"op": "is", "entity_type": str(type_)} if _IN not in constraint:
            return (type_,)
        case _:
            raise ValueError("a policy with slots decides nothing until it is linked, and a bundle has no links")


def keys(uid: Key, above: frozenset[Key]) -> frozenset[Key]:
    """Return every key that a principal, an action or a resource fits; ``above`` is itself and all that it is in."""
    type_ = uid[0]
    return above | {ANY, (type_,), (*uid, _EQUAL)} | {(type_, *entity, _IN) for entity in above}


def looks(conditions: object) -> tuple[int, frozenset[Key]]:
    """Return how many entities deep the conditions look at most, and which literal entities they look into.

    Both err on the side of more: records are counted as if they were entities, and all that stands in the operand that
    is looked into counts as if it could be its value.
    """
    depth, literals = 1, set[Key]()
    open_: list[tuple[object, int]] = [(conditions, 0)]
    while open_:
        node, above = open_.pop()
        depth = max(depth, above)
        if is_array(node):
            open_.extend((child, above) for child in node)
        elif is_object(node):
            for name, child in node.items():
                if name == _ENTITY and above:
                    literals.update(references(child))
                open_.extend(_within(name, child, above))
    return depth, frozenset(literals)


def _within(operator: str, operands: object, above: int) -> Iterable[tuple[object, int]]:
    """Return the operands of an operator with how many look into each of them, from their value on upwards."""
    looking = above + 1 if operator in _LOOKS else above
    if not is_object(operands) or _OPERAND not in operands:
        return [(operands, looking)]
    if operator == "is" and _IN in operands:
        looking = above + 1
    return [(operand, looking if name == _OPERAND else above) for name, operand in operands.items()]


def _uid(entity: object) -> tuple[str, str]:
    plain = object_of(entity)
    return str(plain["type"]), str(plain["id"])
