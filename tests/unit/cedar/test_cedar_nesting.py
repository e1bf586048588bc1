"""Texts that would end the process of whoever parses them are refused before they are parsed."""

from __future__ import annotations

import pytest

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.domain.nesting import MAX_BRACKETS, MAX_DOTS, MAX_OPERATORS, too_deep
from aeterna.cedar.errors import BundleInvalidError

SCHEMA = "entity User = { level: Long };\naction read appliesTo { principal: User, resource: User };\n"
HEAD = '@id("deep") permit (principal, action, resource) when { '
# More than enough to overflow the stack of a thread.
FAR = 20_000


def policy(condition: str) -> str:
    """Return a policy of this condition."""
    return f"{HEAD}{condition} }};"


@pytest.mark.parametrize(
    "condition",
    [
        "(" * FAR + "true" + ")" * FAR,
        "[" * FAR,
        "-(" * FAR + "1" + ")" * FAR + " == 1",
        "+".join(["1"] * FAR) + " == 1",
        "principal" + ".a" * FAR,
        "principal" + '["a"]' * (FAR // 2),
        "principal has " + ".// and\r a" * (FAR // 10),
    ],
    ids=["parentheses", "unclosed", "negations", "sum", "dots", "indices", "a path with comments"],
)
def test_a_policy_that_is_nested_too_deep_is_refused_with_its_line(condition: str) -> None:
    with pytest.raises(BundleInvalidError, match="has more than") as refused:
        CedarCompiler().compile(Bundle.of({"a.cedar": f"\n{policy(condition)}", "a.cedarschema": SCHEMA}))

    assert (refused.value.where, refused.value.line) == ("a.cedar", 2)


@pytest.mark.parametrize("written", [("{a: ", "}"), ("Set<", ">")], ids=["records", "sets"])
def test_a_schema_that_is_nested_too_deep_is_refused(written: tuple[str, str]) -> None:
    schema = f"type Deep = {written[0] * FAR}Long{written[1] * FAR};\n{SCHEMA}"

    with pytest.raises(BundleInvalidError, match="has more than") as refused:
        CedarCompiler().compile(Bundle.of({"a.cedar": policy("true"), "a.cedarschema": schema}))

    assert refused.value.where == "a.cedarschema"


def test_a_long_policy_that_is_not_deep_passes() -> None:
    """Comparisons are no brackets, and neither strings nor comments are read."""
    far = f"{'(' * FAR} {'.a' * FAR}"
    compared = " && ".join(["principal.level < 1"] * 300)

    assert too_deep(policy(f'{compared} && "{far}" == "" // {far}\n')) is None


@pytest.mark.parametrize(
    "condition",
    [
        "(" * (MAX_BRACKETS - 1) + "1" + ")" * (MAX_BRACKETS - 1) + "+1" * MAX_OPERATORS + " == 1",
        "principal has " + ".".join(["level"] * MAX_DOTS),
    ],
)
def test_what_is_just_not_too_deep_is_read_by_cedar(condition: str) -> None:
    """It need not be valid, but it must come back: each of these was chosen at the bounds."""
    assert too_deep(policy(condition)) is None
    with pytest.raises(BundleInvalidError):
        CedarCompiler().compile(Bundle.of({"a.cedar": policy(condition), "a.cedarschema": SCHEMA}))
