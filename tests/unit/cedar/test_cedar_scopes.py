"""Which policies are found for which requests, and how far a condition is taken to look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.cedar.domain.index import ScopeIndex
from aeterna.cedar.domain.policy import Policy, action_keys, entity_key, keys, looks
from aeterna.cedar.domain.recent import RecentlyUsed
from aeterna.cedar.domain.statements import statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.cedar.domain.entity import Key


def parsed(text: str) -> Mapping[str, Mapping[str, object]]:
    """Return a policy in Cedar's JSON form."""
    return json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]["policy0"]


def policy(scope: str) -> Policy:
    """Return a policy by its scope."""
    document = parsed(f"permit ({scope});")
    return Policy(
        name=scope,
        source=None,
        text="",
        principal=entity_key(document["principal"]),
        action=action_keys(document["action"]),
        resource=entity_key(document["resource"]),
        reach=1,
        literals=frozenset(),
    )


def above(*uids: Key) -> frozenset[Key]:
    """Return the keys of an entity that is in the others."""
    return keys(uids[0], frozenset(uids))


SCOPES = [
    "principal, action, resource",
    'principal == U::"ada", action, resource',
    'principal in G::"staff", action, resource',
    "principal is U, action, resource",
    'principal is U in G::"staff", action, resource',
    'principal is V in G::"staff", action, resource',
    'principal in U::"ada", action, resource',
    'principal == G::"staff", action, resource',
    'principal, action == Action::"read", resource',
    'principal, action in Action::"any", resource',
    'principal, action in [Action::"write", Action::"read", Action::"any"], resource',
    'principal, action in [Action::"write"], resource',
    "principal, action, resource is D",
    "principal, action, resource is U",
]


def test_exactly_those_are_found_whose_scope_fits() -> None:
    buckets: list[list[int]] = []
    index = ScopeIndex(enumerate(map(policy, SCOPES)), buckets)

    found = index.matching(
        above(("U", "ada"), ("G", "staff")), above(("Action", "read"), ("Action", "any")), above(("D", "plan"))
    )

    fitting = {SCOPES[number] for bucket in found for number in buckets[bucket]}
    assert set(SCOPES) - fitting == {SCOPES[5], SCOPES[7], SCOPES[11], SCOPES[13]}


@pytest.mark.parametrize(
    ("condition", "reach", "literals"),
    [
        ("1 == 1", 1, set[str]()),
        ("principal.a == 1", 1, set[str]()),
        ("principal.a.b.c", 3, set[str]()),
        ('principal.a in U::"x"', 2, set[str]()),
        ('U::"x".a.b == U::"y"', 2, {"x"}),
        ('U::"x" in U::"y"', 1, {"x"}),
        ('(if principal.a.b then U::"x" else resource).c', 3, {"x"}),
        ("principal has a.b", 2, set[str]()),
        ('principal.a.hasTag("k") && principal.getTag(resource.a.b.c) == 1', 3, set[str]()),
        ('principal.a is U in G::"x"', 2, set[str]()),
        ("principal.a is U", 1, set[str]()),
        ('{b: U::"x"}.b.c == [U::"y"]', 2, {"x"}),
    ],
)
def test_a_condition_looks_no_farther_than_it_is_taken_to(condition: str, reach: int, literals: set[str]) -> None:
    found, named = looks(parsed(f"permit (principal, action, resource) when {{ {condition} }};")["conditions"])

    assert (found, {name for _, name in named}) == (reach, literals)


@pytest.mark.parametrize("slot", ["principal == ?principal", "principal in ?principal", "principal is U in ?principal"])
def test_a_slot_is_no_scope(slot: str) -> None:
    template = json.loads(cedarpy.policies_to_json_str(f"permit ({slot}, action, resource);"))["templates"]["policy0"]

    with pytest.raises(ValueError, match="slots"):
        entity_key(template["principal"])


def test_what_was_used_last_is_remembered_longest() -> None:
    memory: RecentlyUsed[str, int] = RecentlyUsed(5)
    for name, weight in (("a", 2), ("b", 2), ("too much", 6)):
        memory.put(name, weight, weight)
    memory.get("a")
    memory.put("c", 3, 3)

    assert [memory.get(name) for name in ("a", "b", "c", "too much")] == [2, None, 3, None]
    assert [memory.forget_one() for _ in range(3)] == [True, True, False]


SOUP = st.lists(
    st.sampled_from(
        [
            ";",
            "//",
            "\n",
            "\r",
            '"',
            "\\",
            " ",
            "\t",
            "\u00a0",
            "x",
            "@id(",
            ")",
            '"a"',
            "permit(principal,action,resource)",
        ]
    ),
    max_size=25,
).map("".join)


@given(text=SOUP)
def test_no_policy_that_cedar_sees_is_passed_over(text: str) -> None:
    """What decides has to be what was given, so both must agree where a comment ends."""
    try:
        seen = len(cedarpy.PolicySet.from_str(text))
    except ValueError:
        return

    assert len(statements(text)) == seen
