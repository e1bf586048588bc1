"""A community keeps its name while most of it stays, and what is recorded of a membership is what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aeterna.knowledge.domain.communities import Hierarchy, Level
from aeterna.knowledge.domain.naming import Belonging, Membership, changes, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.knowledge.domain.communities import CommunityId

IDS = tuple("abcdef")
_labels = st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=3)


def _hierarchy(*levels: Sequence[int]) -> Hierarchy:
    """Return levels of labels; parents are of no interest here."""
    return Hierarchy(
        levels=tuple(
            Level(
                community=np.unique(np.array(labels, dtype=np.int64), return_inverse=True)[1].astype(np.int64),
                parent=np.empty(0, dtype=np.int64),
            )
            for labels in levels
        ),
        quality=0.0,
    )


def _names(membership: Membership, level: int = 0) -> list[CommunityId]:
    return [membership.mappings()[level][node] for node in membership.ids]


def test_a_first_naming_is_the_same_wherever_it_is_made_and_never_the_same_on_two_levels() -> None:
    hierarchy = _hierarchy([0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 2])

    first, again = (named(hierarchy, IDS, None, seq=7) for _ in range(2))

    assert first.mappings() == again.mappings()
    assert not set(_names(first, 0)) & set(_names(first, 1))


def test_numbers_may_change_places_and_names_do_not() -> None:
    before = named(_hierarchy([0, 0, 0, 1, 1, 1]), IDS, None, seq=1)

    after = named(_hierarchy([1, 1, 1, 0, 0, 0]), IDS, before, seq=2)

    assert _names(after) == _names(before)


def test_the_larger_part_keeps_the_name_when_a_community_is_divided() -> None:
    before = named(_hierarchy([0, 0, 0, 0, 0, 1]), IDS, None, seq=1)

    after = named(_hierarchy([0, 0, 2, 2, 2, 1]), IDS, before, seq=2)

    assert _names(after)[2:] == _names(before)[2:]
    assert _names(after)[0] not in _names(before)


def test_the_larger_community_gives_its_name_when_two_are_joined() -> None:
    before = named(_hierarchy([0, 0, 1, 1, 1, 1]), IDS, None, seq=1)

    after = named(_hierarchy([0, 0, 0, 0, 0, 0]), IDS, before, seq=2)

    assert set(_names(after)) == {_names(before)[2]}


def test_what_is_gone_or_new_does_not_count() -> None:
    before = named(_hierarchy([0, 0, 0, 1, 1, 1]), IDS, None, seq=1)

    after = named(_hierarchy([0, 0, 1, 1]), ("b", "bb", "e", "f"), before, seq=2)

    assert _names(after) == [_names(before)[0]] * 2 + [_names(before)[5]] * 2


def test_a_name_that_is_taken_is_not_given_again_at_the_same_seq() -> None:
    """The first node moves to a community that is new, at the seq at which its old one was named after it."""
    before = named(_hierarchy([0, 0, 0, 1, 1, 1]), IDS, None, seq=1)

    after = named(_hierarchy([2, 0, 0, 1, 1, 1]), IDS, before, seq=1)

    assert len(set(_names(after))) == 3


def test_changes_are_the_nodes_that_moved_came_or_went_and_no_others() -> None:
    before = named(_hierarchy([0, 0, 0, 1, 1, 1]), IDS, None, seq=1)
    after = named(_hierarchy([0, 0, 1, 1, 1, 1]), (*"abcde", "g"), before, seq=2)
    left, right = _names(before)[0], _names(before)[5]

    changed = changes(before, after)

    assert changed.ended == (Belonging(0, "c", left), Belonging(0, "f", right))
    assert changed.begun == (Belonging(0, "c", right), Belonging(0, "g", right))


def test_a_membership_that_stayed_changes_nothing() -> None:
    before = named(_hierarchy([0, 0, 0, 1, 1, 1], [0, 0, 1, 2, 2, 3]), IDS, None, seq=1)

    changed = changes(before, before)

    assert (changed.ended, changed.begun) == ((), ())


@given(first=_labels, second=_labels)
def test_applied_to_what_was_recorded_changes_give_what_is(first: list[list[int]], second: list[list[int]]) -> None:
    before = named(_hierarchy(*first), IDS, None, seq=1)
    after = named(_hierarchy(*second), IDS, before, seq=2)

    changed = changes(before, after)

    recorded = {Belonging(level, *pair) for level, members in enumerate(before.mappings()) for pair in members.items()}
    now = {Belonging(level, *pair) for level, members in enumerate(after.mappings()) for pair in members.items()}
    assert set(changed.ended) <= recorded
    assert (recorded - set(changed.ended)) | set(changed.begun) == now
    assert not recorded & set(changed.begun)
    assert len({(level, name) for level, members in enumerate(after.mappings()) for name in members.values()}) == len(
        {name for members in after.mappings() for name in members.values()}
    )
