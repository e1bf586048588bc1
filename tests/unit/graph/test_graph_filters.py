"""Conditions as people write them, and what they refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.identifiers import Json
from aeterna.graph.domain.questions.filters import condition, condition_parsed, conditions, satisfied
from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from aeterna.graph.domain.questions.filters import Scalar


@pytest.mark.parametrize(
    ("text", "name", "operator", "value"),
    [
        ("owner=payments", "owner", "=", "payments"),
        ("tier<=2", "tier", "<=", 2.0),
        ("tier>=-1e3", "tier", ">=", -1000.0),
        ('tier="2"', "tier", "=", "2"),
        ("a!=true", "a", "!=", True),
        ("a=null", "a", "=", None),
        ("a=NaN", "a", "=", "NaN"),
        ("a=[1]", "a", "=", "[1]"),
        ("a=", "a", "=", ""),
        ("a=b=c", "a", "=", "b=c"),
        ("a b.c=1", "a b.c", "=", 1.0),
        ("owner", "owner", "exists", None),
        ("!owner", "owner", "missing", None),
    ],
)
def test_a_condition_is_read_as_it_is_written(text: str, name: str, operator: str, value: Scalar) -> None:
    read = condition_parsed(text)

    assert (read.name, read.operator, read.value) == (name, operator, value)
    assert type(read.value) is type(value)


@pytest.mark.parametrize("text", ["", "!", "=1", "!a=1", "a<true", "a>null", "a=1e999", "x" * 257, f"a={'x' * 1025}"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(InvalidQueryError, match="where"):
        condition_parsed(text)


@pytest.mark.parametrize(("operator", "value"), [("exists", 1), ("like", "a"), ("=", float("inf"))])
def test_an_operator_takes_what_it_can_compare(operator: str, value: float | str) -> None:
    with pytest.raises(InvalidQueryError):
        condition("a", operator, value)


def test_there_is_an_end_of_conditions() -> None:
    with pytest.raises(InvalidQueryError, match="at most 16"):
        conditions([f"a{place}" for place in range(17)])


def test_huge_numbers_are_as_large_as_floats_can_be() -> None:
    properties = Json(json.dumps({"a": 10**400, "b": -(10**400)}))

    assert satisfied(conditions(["a>1e308", "b<-1e308"]), properties)
