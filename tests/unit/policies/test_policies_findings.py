"""What is found in a bundle: each row is a bundle, and a sentence that says what of it should be told."""

from __future__ import annotations

from pathlib import Path

import pytest

import aeterna.policy
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.cedar.domain.bundle import Bundle
from aeterna.policies.adapters.analyser import SmtAnalyser
from aeterna.policies.domain.findings import Kind
from fixtures.policy_bundles import bundle

ANY_PERMIT = '@id("p") permit (principal, action, resource);'
FORBID_SECRETS = '@id("f") forbid (principal, action == Action::"view", resource) when { resource.secret };'
VIEW = '@id("view") permit (principal, action == Action::"view", resource);'

Found = set[tuple[str, tuple[str, ...]]]

ROWS: list[tuple[str, Bundle, Found]] = [
    ("a permit alone is clean", bundle(VIEW), set()),
    ("a permit that a forbid meets is opposed", bundle(VIEW, FORBID_SECRETS), {("opposing", ("view", "f"))}),
    (
        "a permit and a forbid of other actions do not meet",
        bundle('@id("edit") permit (principal, action == Action::"edit", resource);', FORBID_SECRETS),
        set(),
    ),
    (
        "a permit and a forbid of other conditions do not meet",
        bundle(
            '@id("p") permit (principal, action == Action::"view", resource) unless { resource.secret };',
            FORBID_SECRETS,
        ),
        set(),
    ),
    (
        "a permit in a group of actions meets a forbid of a member",
        bundle('@id("p") permit (principal, action in Action::"reading", resource);', FORBID_SECRETS),
        {("opposing", ("p", "f"))},
    ),
    (
        "a permit for one user does not meet a forbid for another",
        bundle(
            '@id("p") permit (principal == User::"ann", action, resource);',
            '@id("f") forbid (principal == User::"bob", action, resource);',
        ),
        set(),
    ),
    (
        "a permit for one team meets a forbid for another, since one may be in both",
        bundle(
            '@id("p") permit (principal in Team::"a", action, resource);',
            '@id("f") forbid (principal in Team::"b", action, resource);',
        ),
        {("opposing", ("p", "f"))},
    ),
    (
        "a permit that a forbid covers permits nothing, and is not said to be opposed as well",
        bundle(
            '@id("p") permit (principal, action == Action::"view", resource) when { resource.secret };', FORBID_SECRETS
        ),
        {("overridden", ("p", "f"))},
    ),
    (
        "a condition that contradicts itself is vacuous, and like no other policy",
        bundle(
            VIEW,
            '@id("never") permit (principal, action, resource) when { principal.level > 3 && principal.level < 2 };',
        ),
        {("vacuous", ("never",))},
    ),
    (
        "a type of principal that an action does not take is refused by Cedar's own validator",
        bundle('@id("p") permit (principal is Robot, action == Action::"edit", resource);'),
        {("invalid", ("p",))},
    ),
    (
        "two permits in other words are one too many, and the later one is to go",
        bundle(
            '@id("a") permit (principal, action == Action::"view", resource) when { principal.level > 3 };',
            '@id("b") permit (principal, action == Action::"view", resource) when { 4 <= principal.level };',
        ),
        {("redundant", ("b", "a"))},
    ),
    (
        "a permit inside another is shadowed by it",
        bundle(ANY_PERMIT, VIEW),
        {("shadowed_permit", ("view", "p"))},
    ),
    (
        "a forbid inside another is shadowed by it",
        bundle(
            VIEW.replace("permit", "forbid"),
            FORBID_SECRETS,
        ),
        {("shadowed_forbid", ("f", "view"))},
    ),
    (
        "permits that share some requests say nothing of each other",
        bundle(
            '@id("a") permit (principal, action, resource) when { principal.level > 3 };',
            '@id("b") permit (principal, action, resource) when { principal.level < 9 };',
        ),
        set(),
    ),
    (
        "a template that nothing links decides nothing, and the engine refuses it",
        bundle(VIEW, '@id("t") permit (principal == ?principal, action, resource);'),
        {("invalid", ())},
    ),
    (
        "an override names no policy that there is",
        bundle('@id("p") @overridden_by("g") permit (principal, action, resource);', FORBID_SECRETS),
        {("invalid", ("p",))},
    ),
    (
        "an override names a permit, which overrides nothing",
        bundle('@id("p") @overridden_by("view") permit (principal, action, resource);', VIEW),
        {("invalid", ("p",))},
    ),
    (
        "a guard-rail is a forbid",
        bundle('@id("p") @guardrail permit (principal, action, resource);'),
        {("invalid", ("p",))},
    ),
    (
        "an override that never happens is told",
        bundle(
            '@id("p") @overridden_by("f") permit (principal, action == Action::"edit", resource);',
            FORBID_SECRETS,
        ),
        {("idle_annotation", ("p", "f"))},
    ),
    (
        "a guard-rail that no permit meets is told",
        bundle(
            '@id("edit") permit (principal, action == Action::"edit", resource);',
            FORBID_SECRETS.replace("forbid", '@guardrail("no secrets") forbid'),
        ),
        {("idle_annotation", ("f",))},
    ),
    (
        "two policies of one name cannot be told apart",
        bundle(VIEW, FORBID_SECRETS.replace('"f"', '"view"')),
        {("invalid", ("view",))},
    ),
]


def found(analysed: Bundle) -> Found:
    return {(one.kind.value, one.policies) for one in SmtAnalyser().analyse(analysed).findings if one.intended is None}


@pytest.mark.parametrize(("analysed", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_an_analysis_finds(analysed: Bundle, expected: Found) -> None:
    assert found(analysed) == expected


@pytest.mark.parametrize(
    "annotated",
    [
        bundle(
            VIEW.replace("permit", '@overridden_by("g, f") permit'),
            FORBID_SECRETS,
            '@id("g") forbid (principal, action == Action::"view", resource) when { context.mfa };',
        ),
        bundle(VIEW, FORBID_SECRETS.replace("forbid", '@guardrail("no secrets") forbid')),
        bundle(VIEW, FORBID_SECRETS.replace("forbid", "@guardrail forbid")),
    ],
    ids=["by its author", "by the author of the forbid", "without a reason"],
)
def test_an_override_that_is_meant_refuses_nothing_and_is_still_told(annotated: Bundle) -> None:
    report = SmtAnalyser().analyse(annotated)

    assert not report.refused
    assert all(one.intended is not None for one in report.findings)
    assert {one.kind for one in report.findings} == {Kind.OPPOSING}


@pytest.mark.parametrize(
    ("refused", "analysed"),
    [
        (True, bundle(VIEW, FORBID_SECRETS)),
        (True, bundle(VIEW.replace(";", " when { resource.secret };"), FORBID_SECRETS)),
        (True, bundle("permit (principal, action, resource);")),
        (False, bundle(ANY_PERMIT, VIEW)),
        (False, bundle(VIEW, VIEW.replace("view", "again", 1))),
    ],
    ids=["opposing", "overridden", "invalid", "shadowed", "redundant"],
)
def test_contradictions_and_mistakes_refuse_a_bundle_and_repetitions_do_not(*, refused: bool, analysed: Bundle) -> None:
    assert SmtAnalyser().analyse(analysed).refused is refused


def test_a_mistake_is_told_with_its_file_and_line() -> None:
    analysed = bundle(VIEW, "// a comment", '@id("broken") permit (principal, action, resource) when {', " 1 + };")

    (mistake,) = SmtAnalyser().analyse(analysed).findings

    assert (mistake.place.file, mistake.place.line) == ("all.cedar", 3)


def test_every_mistake_is_told_not_only_the_first() -> None:
    analysed = bundle(
        '@id("a") permit (principal, action, resource) when { principal.shoe == 1 };',
        "permit (principal, action, resource);",
        '@id("c") permit (principal, action == Action::"veiw", resource);',
    )

    lines = {one.place.line for one in SmtAnalyser().analyse(analysed).findings}

    assert lines == {1, 2, 3}


def test_an_override_by_a_policy_that_is_itself_mistaken_is_no_second_mistake() -> None:
    analysed = bundle(VIEW.replace("permit", '@overridden_by("f") permit'), FORBID_SECRETS.replace("secret", "shoe"))

    assert found(analysed) == {("invalid", ("f",))}


def test_an_entity_that_breaks_the_schema_is_named() -> None:
    broken = '[{"uid": {"type": "User", "id": "ann"}, "attrs": {"level": "high"}, "parents": []}]'

    (mistake,) = SmtAnalyser().analyse(bundle(VIEW, entities=broken)).findings

    assert mistake.place.file == "entities.json"
    assert '"ann"' in mistake.message


def test_a_tenants_policies_are_compared_with_the_shared_ones_and_these_only_once() -> None:
    analysed = bundle(
        VIEW,
        FORBID_SECRETS,
        acme='@id("own") permit (principal, action == Action::"view", resource) when { context.mfa };',
        umbrella='@id("own") permit (principal, action == Action::"edit", resource);',
    )

    told = {(one.tenant, one.kind.value, one.policies) for one in SmtAnalyser().analyse(analysed).findings}

    assert told == {
        (None, "opposing", ("view", "f")),
        ("acme", "opposing", ("own", "f")),
        ("acme", "shadowed_permit", ("own", "view")),
    }


def test_two_tenants_policies_are_never_compared() -> None:
    analysed = bundle(
        VIEW,
        acme='@id("p") permit (principal, action == Action::"edit", resource);',
        umbrella='@id("f") forbid (principal, action == Action::"edit", resource);',
    )

    assert found(analysed) == set()


def test_more_pairs_than_can_be_kept_are_undecided_and_none_of_them_clean() -> None:
    analysed = bundle(
        VIEW, FORBID_SECRETS, '@id("mfa") permit (principal, action == Action::"view", resource) when { context.mfa };'
    )

    (told,) = SmtAnalyser(most_pairs=2).analyse(analysed).findings

    assert (told.kind, "more than 2 pairs" in told.message) == (Kind.UNDECIDED, True)


def test_policies_that_never_meet_are_no_pairs_to_keep() -> None:
    edit = '@id("edit") permit (principal, action == Action::"edit", resource);'

    assert SmtAnalyser(most_pairs=0).analyse(bundle(VIEW, edit)).findings == ()


def test_the_shipped_policies_have_no_finding_that_nobody_meant() -> None:
    shipped = DirectoryBundleSource(Path(aeterna.policy.__path__[0]) / "bundle").read()

    assert found(shipped) == set()


def test_an_invalid_schema_is_told_and_nothing_else() -> None:
    broken = Bundle(policies={"a.cedar": VIEW}, schema="entity ;", schema_file="the.cedarschema")

    (mistake,) = SmtAnalyser().analyse(broken).findings

    assert (mistake.kind, mistake.place.file) == (Kind.INVALID, "the.cedarschema")
