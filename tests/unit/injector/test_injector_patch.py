"""A patch makes of a document what it was computed for, and is no larger than it must be."""

from __future__ import annotations

import json

import jsonpatch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeterna.injector.domain.json_patch import changes

NAMES = st.sampled_from(["a", "b", "c~d", "e/f", "name", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES, inner, max_size=4)
        | st.lists(st.fixed_dictionaries({"name": NAMES, "value": inner}), max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=st.dictionaries(NAMES, JSON), after=st.dictionaries(NAMES, JSON))
def test_a_patch_makes_the_one_of_the_other(before: dict[str, object], after: dict[str, object]) -> None:
    patched: object = jsonpatch.apply_patch(before, json.dumps([*changes(before, after)]))

    assert patched == after


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=JSON)
def test_nothing_is_changed_of_what_is_the_same(document: object) -> None:
    assert [*changes(document, json.loads(json.dumps(document)))] == []


def test_a_container_is_added_and_its_neighbour_is_not_rewritten() -> None:
    before = {"containers": [{"name": "app", "image": "a"}]}
    after = {"containers": [{"name": "sidecar"}, {"name": "app", "image": "a", "env": [1]}]}

    assert [*changes(before, after)] == [
        {"op": "add", "path": "/containers/0", "value": {"name": "sidecar"}},
        {"op": "add", "path": "/containers/1/env", "value": [1]},
    ]
