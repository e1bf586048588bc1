"""What all questions check: ids, labels, numbers within bounds, and directions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aeterna.graph.domain.identifiers import Label, NodeId, problem_of_id, problem_of_label
from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Iterable

Direction: TypeAlias = Literal["out", "in", "both"]

MAX_FILTERS: Final = 64


def node(text: str, parameter: str) -> NodeId:
    """Return the text as a node's id; raise `InvalidQueryError` that names the parameter."""
    if problem := problem_of_id(text):
        raise InvalidQueryError(parameter, problem)
    return NodeId(text)


def label(text: str, parameter: str) -> Label:
    """Return the text as a kind or type; raise `InvalidQueryError` that names the parameter."""
    if problem := problem_of_label(text):
        raise InvalidQueryError(parameter, problem)
    return Label(text)


def labels(texts: Iterable[str], parameter: str) -> frozenset[Label]:
    """Return the texts as kinds or types, at most 64; raise `InvalidQueryError` that names the parameter."""
    distinct = frozenset(texts)
    if len(distinct) > MAX_FILTERS:
        raise InvalidQueryError(parameter, f"at most {MAX_FILTERS} may be given, not {len(distinct)}")
    return frozenset(label(text, parameter) for text in distinct)


def within(value: int, least: int, most: int, parameter: str) -> int:
    """Return the number if it is within the bounds, both allowed; raise `InvalidQueryError` otherwise."""
    if not least <= value <= most:
        raise InvalidQueryError(parameter, f"must be {least} to {most}, not {value}")
    return value


def direction(text: str, parameter: str = "direction") -> Direction:
    """Return the text as a direction; raise `InvalidQueryError` that says which there are."""
    match text:
        case "out" | "in" | "both":
            return text
        case _:
            raise InvalidQueryError(parameter, f"must be out, in or both, not {text!r}")
