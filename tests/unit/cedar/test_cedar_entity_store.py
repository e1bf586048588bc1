"""Which of the kept entities a request comes to see."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.domain.entity import NO_ENTITIES, EntityStore, EntityTable, references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.cedar.domain.entity import Key


def table(**entities: tuple[str, str]) -> EntityTable:
    """Return entities by name: what each is in, and which it has as an attribute, in words."""
    return EntityTable(
        sources={("T", name): json.dumps(entity(name, above, known)) for name, (above, known) in entities.items()},
        parents={
            ("T", name): tuple(("T", parent) for parent in above.split())
            for name, (above, _) in entities.items()
            if above
        },
    )


def entity(name: str, above: str, known: str) -> Mapping[str, object]:
    """Return an entity in Cedar's JSON."""
    return {
        "uid": {"type": "T", "id": name},
        "attrs": {"knows": [{"__entity": {"type": "T", "id": other}} for other in known.split()]},
        "parents": [{"type": "T", "id": parent} for parent in above.split()],
    }


STORE = EntityStore(
    table(own=("team", ""), ghostly=("ghost", "")),
    table(ada=("team", "bob"), bob=("", "cyd"), cyd=("team", "ada"), team=("all", ""), all=("", "bob")),
)


def names(uids: frozenset[Key]) -> str:
    """Return ids, sorted, in one text."""
    return " ".join(sorted(uid[1] for uid in uids))


@pytest.mark.parametrize(
    ("of", "above"),
    [("ada", "ada all team"), ("own", "all own team"), ("ghostly", "ghost ghostly"), ("nobody", "nobody")],
)
def test_what_is_above_is_found_through_what_is_everybodys_and_what_is_ones_own(of: str, above: str) -> None:
    assert names(STORE.above(("T", of))) == above


@pytest.mark.parametrize(
    ("roots", "reach", "seen"),
    [
        ("ada", 1, "ada team"),
        ("ada", 2, "ada bob team"),
        ("ada", 3, "ada bob cyd team"),
        ("ada", 99, "ada bob cyd team"),
        ("all", 2, "all bob"),
        ("nobody", 5, ""),
        ("own bob", 1, "bob own team"),
    ],
)
def test_a_slice_goes_as_far_as_policies_look_and_leaves_out_groups_that_are_in_nothing(
    roots: str, reach: int, seen: str
) -> None:
    """That ada is in `all` is known from `team`, which is in it, so `all` itself is not needed."""
    found = STORE.reachable([("T", root) for root in roots.split()], reach)

    assert " ".join(sorted(json.loads(text)["uid"]["id"] for text in found)) == seen


def test_what_is_far_above_is_remembered_alike() -> None:
    chain = table(**{f"r{number}": (f"r{number + 1}", "") for number in range(40)})
    store = EntityStore(NO_ENTITIES, chain)

    assert store.above(("T", "r0")) == store.above(("T", "r0"))
    assert len(store.above(("T", "r0"))) == 41


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"type": "T", "id": "a"}, [("T", "a")]),
        ({"__entity": {"type": "T", "id": "a"}}, [("T", "a")]),
        ([{"deep": [{"type": "T", "id": "a"}]}], [("T", "a")]),
        ({"type": "T", "id": 3}, []),
        ({"type": {"type": "T", "id": "a"}, "id": "b"}, [("T", "a")]),
        ("T", []),
    ],
)
def test_whatever_can_be_a_reference_counts_as_one(value: object, found: list[Key]) -> None:
    assert list(references(value)) == found
