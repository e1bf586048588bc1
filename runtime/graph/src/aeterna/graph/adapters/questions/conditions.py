"""Conditions on properties as SQL. Whatever a client wrote is a parameter; the text of the SQL is ours alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from aeterna.graph.domain.questions.filters import Condition

Parameter: TypeAlias = "str | float | int | list[int] | list[str]"

NUMERIC: Final = "('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')"


class Parameters:
    """The values of a statement, in the order in which their places are named."""

    def __init__(self) -> None:
        self.values: list[Parameter] = []

    def add(self, value: Parameter) -> str:
        """Keep a value and return the name of its place."""
        self.values.append(value)
        return f"${len(self.values)}"


def pointer(name: str) -> str:
    """Return the JSON pointer (RFC 6901) to a top-level property."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def satisfies(properties: str, wanted: Condition, parameters: Parameters) -> str:
    """Return the SQL that is true where the properties meet the condition, and false or null where not.

    ``properties`` is SQL of our own.
    """
    path = parameters.add(pointer(wanted.name))
    kind = f"json_type({properties}, {path})"
    match wanted.operator:
        case "exists":
            return f"{kind} IS NOT NULL"
        case "missing":
            return f"{kind} IS NULL"
        case "=" | "!=":
            same = _same(f"json_extract_string({properties}, {path})", kind, wanted, parameters)
            return f"({same})" if wanted.operator == "=" else f"({kind} IS NOT NULL AND NOT ({same}))"
        case "<" | "<=" | ">" | ">=":
            text = f"json_extract_string({properties}, {path})"
            if isinstance(wanted.value, float):
                return f"({kind} IN {NUMERIC} AND {number(text)} {wanted.operator} {_value(wanted, parameters)})"
            return f"({kind} = 'VARCHAR' AND {text} {wanted.operator} {_value(wanted, parameters)})"


def number(text: str) -> str:
    """Return the SQL of a JSON number's text as the float that it compares as."""
    return f"TRY_CAST({text} AS DOUBLE)"


def _same(text: str, kind: str, wanted: Condition, parameters: Parameters) -> str:
    match wanted.value:
        case None:
            return f"{kind} = 'NULL'"
        case bool():
            return f"{kind} = 'BOOLEAN' AND {text} = '{'true' if wanted.value else 'false'}'"
        case str():
            return f"{kind} = 'VARCHAR' AND {text} = {_value(wanted, parameters)}"
        case _:
            return f"{kind} IN {NUMERIC} AND {number(text)} = {_value(wanted, parameters)}"


def _value(wanted: Condition, parameters: Parameters) -> str:
    if isinstance(wanted.value, float):
        return f"{parameters.add(wanted.value)}::DOUBLE"
    return f"{parameters.add(str(wanted.value))}::VARCHAR"
