"""Who gains and who loses between two bundles: each row is a change, and a sentence that says whom it touches."""

from __future__ import annotations

import pytest

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.adapters.analyser import SmtAnalyser
from fixtures.policy_bundles import SCHEMA, bundle
from fixtures.policy_worlds import requests, world

VIEW = '@id("view") permit (principal, action == Action::"view", resource);'
EDIT = '@id("edit") permit (principal, action == Action::"edit", resource);'
SENIOR_EDIT = EDIT.replace(";", " when { principal.level > 3 };")
NO_SECRETS = '@id("f") forbid (principal, action, resource is Document) when { resource.secret };'

Changed = set[tuple[str, str, str]]

ROWS: list[tuple[str, Bundle, Bundle, Changed]] = [
    ("nothing changes nothing", bundle(VIEW, NO_SECRETS), bundle(VIEW, NO_SECRETS), set()),
    ("another order and other comments change nothing", bundle(VIEW, EDIT), bundle("// x", EDIT, VIEW), set()),
    (
        "a new permit gives",
        bundle(VIEW),
        bundle(VIEW, EDIT),
        {("User", "edit", "gains")},
    ),
    (
        "a permit that is gone takes",
        bundle(VIEW, EDIT),
        bundle(EDIT),
        {("User", "view", "loses"), ("Robot", "view", "loses")},
    ),
    (
        "a new forbid takes",
        bundle(EDIT),
        bundle(EDIT, NO_SECRETS),
        {("User", "edit", "loses")},
    ),
    (
        "a forbid that is gone gives",
        bundle(EDIT, NO_SECRETS),
        bundle(EDIT),
        {("User", "edit", "gains")},
    ),
    (
        "a forbid of what nobody may do takes nothing",
        bundle(EDIT),
        bundle(EDIT, NO_SECRETS.replace("action", 'action == Action::"view"')),
        set(),
    ),
    (
        "a condition that moves gives to some and takes from others",
        bundle(EDIT.replace(";", " when { principal.level > 3 };")),
        bundle(EDIT.replace(";", " when { principal.level < 3 };")),
        {("User", "edit", "gains"), ("User", "edit", "loses")},
    ),
    (
        "the same in other words changes nothing",
        bundle(SENIOR_EDIT),
        bundle(EDIT.replace(";", " when { 4 <= principal.level };")),
        set(),
    ),
]


def changed(before: Bundle, after: Bundle) -> Changed:
    found: Changed = set()
    for one in SmtAnalyser().compare(before, after):
        assert one.undecided is None
        sides = [word for word, examples in (("gains", one.gained), ("loses", one.lost)) if examples]
        found.update((one.principal_type, one.action.split('"')[1], side) for side in sides)
    return found


@pytest.mark.parametrize(("before", "after", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_comparison_tells(before: Bundle, after: Bundle, expected: Changed) -> None:
    assert changed(before, after) == expected


@pytest.mark.parametrize(("before", "after"), [row[1:3] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_engines_of_both_versions_answer_each_example_as_is_said(before: Bundle, after: Bundle) -> None:
    old, new = CedarCompiler().compile(before), CedarCompiler().compile(after)

    for one in SmtAnalyser().compare(before, after):
        for request in one.gained:
            assert (old.evaluate(request).allowed, new.evaluate(request).allowed) == (False, True)
        for request in one.lost:
            assert (old.evaluate(request).allowed, new.evaluate(request).allowed) == (True, False)


@pytest.mark.parametrize("seed", range(6))
def test_no_request_of_a_small_world_is_gained_or_lost_without_being_told(seed: int) -> None:
    """Brute force: whatever the engines of two random bundles answer differently is among the differences."""
    before, after = bundle(*world(seed).values()), bundle(*world(seed + 100).values())
    old, new = CedarCompiler().compile(before), CedarCompiler().compile(after)
    told = changed(before, after)

    for request in requests():
        allowed = old.evaluate(request).allowed, new.evaluate(request).allowed
        if allowed[0] != allowed[1]:
            word = "gains" if allowed[1] else "loses"
            assert (request.principal.type, request.action.id, word) in told


@pytest.mark.parametrize("seed", range(6))
def test_the_engines_of_random_versions_answer_each_example_as_is_said(seed: int) -> None:
    before, after = bundle(*world(seed).values()), bundle(*world(seed + 100).values())
    old, new = CedarCompiler().compile(before), CedarCompiler().compile(after)

    found = SmtAnalyser().compare(before, after)

    assert found
    for one in found:
        gained = {(old.evaluate(each).allowed, new.evaluate(each).allowed) for each in one.gained}
        lost = {(old.evaluate(each).allowed, new.evaluate(each).allowed) for each in one.lost}
        assert gained <= {(False, True)}
        assert lost <= {(True, False)}


def test_each_new_permit_has_an_example_of_its_own() -> None:
    low, high = EDIT.replace(";", " when { principal.level < 0 };"), EDIT.replace(";", " when { principal.level > 9 };")

    (found,) = SmtAnalyser().compare(bundle(VIEW), bundle(VIEW, low, high.replace('"edit"', '"high"', 1)))

    levels = [
        entity.attributes["level"] for one in found.gained for entity in one.brought if entity.uid == one.principal
    ]
    assert sorted(level < 0 for level in levels if isinstance(level, int)) == [False, True]


def test_a_tenant_gains_by_its_own_files_and_nobody_else_does() -> None:
    found = SmtAnalyser().compare(bundle(VIEW), bundle(VIEW, acme=EDIT))

    assert [(one.tenant, one.gained[0].tenant) for one in found] == [("acme", "acme")]


def test_a_new_action_of_the_schema_is_gained_by_those_who_may() -> None:
    before = Bundle(policies={"a.cedar": '@id("all") permit (principal, action, resource);'}, schema=SCHEMA)
    added = SCHEMA + "action purge appliesTo { principal: [User], resource: [Document], context: {} };"
    after = Bundle(policies=before.policies, schema=added)

    assert changed(before, after) == {("User", "purge", "gains")}


def test_an_action_that_is_gone_from_the_schema_is_lost() -> None:
    added = SCHEMA + "action purge appliesTo { principal: [User], resource: [Document], context: {} };"
    before = Bundle(policies={"a.cedar": '@id("all") permit (principal, action, resource);'}, schema=added)

    assert changed(before, Bundle(policies=before.policies, schema=SCHEMA)) == {("User", "purge", "loses")}


def test_policies_that_do_not_hold_up_against_the_new_schema_are_not_known_to_be_alike() -> None:
    """Whoever reads "nobody loses" relies on it."""
    before = Bundle(policies={"a.cedar": EDIT.replace(";", " when { principal.level > 3 };")}, schema=SCHEMA)
    after = Bundle(policies={"a.cedar": EDIT}, schema=SCHEMA.replace("level: Long", "rank: Long"))

    found = SmtAnalyser().compare(before, after)

    assert found
    assert all(one.undecided is not None for one in found)


def test_an_invalid_bundle_is_not_compared() -> None:
    with pytest.raises(BundleInvalidError, match=r"all\.cedar:1"):
        SmtAnalyser().compare(bundle(VIEW), bundle("permit (principal, action, resource);"))
