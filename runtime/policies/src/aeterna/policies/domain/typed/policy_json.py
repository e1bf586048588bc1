"""Policies read from Cedar's JSON format into trees.

The format: https://docs.cedarpolicy.com/policies/json-format.html. A condition that holds what this reader does not
know is `Unread` in the tree, so that syntax newer than the analysis is never overlooked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.request import Uid
from aeterna.contracts.json_value import is_array, is_object
from aeterna.policies.domain.typed.expressions import (
    WILDCARD,
    And,
    Call,
    Expression,
    GetAttribute,
    HasAttribute,
    IfThenElse,
    Is,
    Like,
    Literal,
    Or,
    RecordOf,
    SetOf,
    Unread,
    Var,
    Variable,
)
from aeterna.policies.domain.typed.policy import Condition, Effect, Policy, Scope
from aeterna.policies.errors import UndecidedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.policies.domain.findings import Place

_OPERATORS: Final = frozenset(
    [
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "+",
        "-",
        "*",
        "in",
        "contains",
        "containsAll",
        "containsAny",
        "hasTag",
        "getTag",
    ],
)
_UNARY: Final = frozenset({"!", "neg", "isEmpty"})
_WITH_PARTS: Final = frozenset({".", "has", "is", "like", "if-then-else"})
_MAX_DEPTH: Final = 100


def policy_of(written: Mapping[str, object], *, place: Place, tenant: str | None, text: str) -> Policy:
    """Return the tree of one policy, or raise `UndecidedError` if its head or frame is not as it is known."""
    annotations = {name: str(said or "") for name, said in _mapping(written.get("annotations", {})).items()}
    return Policy(
        id=annotations["id"],
        effect=Effect(str(written["effect"])),
        principal=_scope(_mapping(written["principal"])),
        action=_scope(_mapping(written["action"])),
        resource=_scope(_mapping(written["resource"])),
        conditions=tuple(
            Condition(unless=condition["kind"] == "unless", body=_body(condition["body"]))
            for condition in map(_mapping, _sequence(written["conditions"]))
        ),
        annotations=annotations,
        place=place,
        tenant=tenant,
        text=text,
    )


def _body(written: object) -> Expression:
    try:
        return expression_of(_mapping(written))
    except UndecidedError as exc:
        return Unread(exc.reason)


def _scope(written: Mapping[str, object]) -> Scope:
    operator = written["op"]
    if operator == "All":
        return Scope()
    if operator == "==":
        return Scope(equal=_uid(written["entity"]))
    if operator == "in":
        entities = _sequence(written["entities"]) if "entities" in written else (written["entity"],)
        return Scope(within=tuple(_uid(entity) for entity in entities))
    if operator == "is":
        inside = _mapping(written["in"]) if "in" in written else None
        within = (_uid(inside["entity"]),) if inside is not None else None
        return Scope(type=str(written["entity_type"]), within=within)
    raise UndecidedError(f"the scope {operator} is not known")


def expression_of(  # noqa: PLR0911 - one for each form of expression
    written: Mapping[str, object], depth: int = 0
) -> Expression:
    """Return the tree of one expression, or raise `UndecidedError`."""
    if depth > _MAX_DEPTH:
        raise UndecidedError(f"an expression is nested more than {_MAX_DEPTH} deep")
    ((name, body),) = written.items()
    if name in {"&&", "||"}:
        return _chain(name, written, depth)
    if name == "Value":
        return _literal(body, depth)
    if name == "Var":
        return Var(Variable(str(body)))
    if name == "Set":
        return SetOf(tuple(_inner(element, depth) for element in _sequence(body)))
    if name == "Record":
        return RecordOf(tuple((key, _inner(value, depth)) for key, value in _mapping(body).items()))
    if name in _OPERATORS or name in _UNARY or name in _WITH_PARTS:
        return _operator(name, _mapping(body), depth)
    if is_array(body):
        return Call(name, tuple(_inner(argument, depth) for argument in body))
    raise UndecidedError(f"the expression {name} is not known")


def _operator(  # noqa: PLR0911 - one for each form of expression
    name: str, parts: Mapping[str, object], depth: int
) -> Expression:
    if name in _UNARY:
        return Call(name, (_inner(parts["arg"], depth),))
    if name == "if-then-else":
        return IfThenElse(*(_inner(parts[part], depth) for part in ("if", "then", "else")))
    left = _inner(parts["left"], depth)
    if name in _OPERATORS:
        return Call(name, (left, _inner(parts["right"], depth)))
    if name == ".":
        return GetAttribute(left, str(parts["attr"]))
    if name == "has":
        return HasAttribute(left, str(parts["attr"]))
    if name == "like":
        return Like(left, tuple(_element(element) for element in _sequence(parts["pattern"])))
    typed = Is(left, str(parts["entity_type"]))
    return And((typed, Call("in", (left, _inner(parts["in"], depth))))) if "in" in parts else typed


def _chain(name: str, written: Mapping[str, object], depth: int) -> Expression:
    """Read ``a && b && c``, which Cedar nests to the left once for each link, in a loop: only real nesting is deep."""
    links: list[Expression] = []
    while name in written:
        sides = _mapping(written[name])
        links.append(_inner(sides["right"], depth))
        written = _mapping(sides["left"])
    parts = (expression_of(written, depth + 1), *reversed(links))
    return And(parts) if name == "&&" else Or(parts)


def _inner(written: object, depth: int) -> Expression:
    return expression_of(_mapping(written), depth + 1)


def _literal(value: object, depth: int) -> Expression:
    if isinstance(value, bool | int | str):
        return Literal(value)
    if is_array(value):
        return SetOf(tuple(_literal(element, depth) for element in value))
    parts = _mapping(value)
    if "__entity" in parts:
        return Literal(_uid(parts["__entity"]))
    raise UndecidedError("a literal is written in a way that is not known")


def _element(written: object) -> str | None:
    return WILDCARD if written == "Wildcard" else str(_mapping(written)["Literal"])


def _uid(written: object) -> Uid:
    parts = _mapping(written)
    parts = _mapping(parts.get("__entity", parts))
    return Uid(str(parts["type"]), str(parts["id"]))


def _mapping(value: object) -> Mapping[str, object]:
    if not is_object(value):
        raise UndecidedError("Cedar's JSON is not as it is known")
    return value


def _sequence(value: object) -> Sequence[object]:
    if not is_array(value):
        raise UndecidedError("Cedar's JSON is not as it is known")
    return value
