"""Which Python type an argument takes, and which descriptor reads an attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aeterna.synth.generate.schema import TypeExpression

SCALARS: Final = {"string": "Text", "number": "Number", "bool": "Flag", "dynamic": "Anything"}
SEQUENCES: Final = frozenset({"list", "set"})
_DESCRIPTORS: Final = {
    "string": "StringAttribute",
    "number": "NumberAttribute",
    "bool": "BooleanAttribute",
    ("list", "string"): "StringListAttribute",
    ("list", "number"): "NumberListAttribute",
    ("map", "string"): "StringMapAttribute",
}


def descriptor(expression: TypeExpression) -> str:
    """Return the class of the descriptor that reads an attribute of this type."""
    if isinstance(expression, str):
        return _DESCRIPTORS.get(expression, "NestedAttribute")
    outer, inner = expression
    if not isinstance(inner, str):
        return "NestedAttribute"
    return _DESCRIPTORS.get(("list" if outer in SEQUENCES else outer, inner), "NestedAttribute")


def annotation(expression: TypeExpression, record: str) -> str:
    """Return the type of an argument; ``record`` is what the objects in it are called."""
    if isinstance(expression, str):
        return SCALARS[expression]
    outer, inner = expression
    if outer == "object":
        return record
    return f"{'Many' if outer in SEQUENCES else 'Table'}[{annotation(inner, record)}]"


def record_of(expression: TypeExpression) -> TypeExpression | None:
    """Return the fields of the objects somewhere in a type, or None if it holds none."""
    while not isinstance(expression, str):
        if expression[0] == "object":
            return expression[1]
        expression = expression[1]
    return None
