"""Whatever a finding says, Cedar itself shows: its example is asked, and small worlds are searched for a lie."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import pytest

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.policies.adapters.analyser import SmtAnalyser
from aeterna.policies.domain.findings import Kind
from fixtures.policy_bundles import bundle, part
from fixtures.policy_worlds import requests, world

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.cedar.domain.request import Request
    from aeterna.policies.domain.findings import Report

WORLDS: Final = 25
BOTH_ACT: Final = {Kind.REDUNDANT, Kind.SHADOWED_PERMIT, Kind.SHADOWED_FORBID, Kind.OVERRIDDEN, Kind.OPPOSING}


def takes_effect(whole: Bundle, name: str, text: str, request: Request) -> bool:
    """Ask Cedar about one policy alone; a forbid is asked as a permit, which allows just where it takes effect."""
    engine = CedarCompiler().compile(part(whole, {name: text.replace("forbid", "permit", 1)}))
    return engine.evaluate(request).allowed


def analysed(policies: Mapping[str, str]) -> tuple[Bundle, Report]:
    whole = bundle(*policies.values())
    return whole, SmtAnalyser().analyse(whole)


@pytest.mark.parametrize("seed", range(WORLDS))
def test_cedar_says_of_every_example_what_the_finding_says(seed: int) -> None:
    policies = world(seed)
    whole, report = analysed(policies)

    for found in report.findings:
        if found.kind in BOTH_ACT:
            assert found.example is not None
            assert all(takes_effect(whole, name, policies[name], found.example) for name in found.policies), found


@pytest.mark.parametrize("seed", range(WORLDS))
def test_the_engine_denies_the_example_of_an_opposed_permit_and_names_the_forbid(seed: int) -> None:
    whole, report = analysed(world(seed))
    engine = CedarCompiler().compile(whole)

    for found in report.findings:
        if found.kind in {Kind.OPPOSING, Kind.OVERRIDDEN}:
            assert found.example is not None
            verdict = engine.evaluate(found.example)
            assert (verdict.allowed, found.policies[1] in verdict.policies, verdict.errors) == (False, True, ())


@pytest.mark.parametrize("seed", range(6))
def test_no_request_of_a_small_world_contradicts_a_finding_or_its_absence(seed: int) -> None:
    """Brute force: for each pair, what is said to follow never fails, and what happens is always said."""
    policies = world(seed)
    whole, report = analysed(policies)
    engines = {
        name: CedarCompiler().compile(part(whole, {name: text.replace("forbid", "permit", 1)}))
        for name, text in policies.items()
    }
    acting = {
        name: {number for number, request in enumerate(requests()) if engine.evaluate(request).allowed}
        for name, engine in engines.items()
    }
    said = {found.policies: found.kind for found in report.findings}

    for one, other in product(policies, repeat=2):
        match said.get((one, other)):
            case Kind.REDUNDANT:
                assert acting[one] == acting[other]
            case Kind.SHADOWED_PERMIT | Kind.SHADOWED_FORBID | Kind.OVERRIDDEN:
                assert acting[one] <= acting[other]
            case _:
                pass
        if " permit (" in policies[one] and " forbid (" in policies[other] and acting[one] & acting[other]:
            assert said.get((one, other)) in {Kind.OPPOSING, Kind.OVERRIDDEN}
    assert not any(acting[found.policies[0]] for found in report.findings if found.kind is Kind.VACUOUS)


def test_an_example_does_not_bring_what_the_bundle_keeps() -> None:
    """The sidecar denies with an error whoever describes an entity that is stored."""
    kept = '[{"uid": {"type": "Team", "id": "a"}, "attrs": {}, "parents": []}]'
    whole = bundle(
        '@id("p") permit (principal in Team::"a", action == Action::"list", resource);',
        '@id("f") forbid (principal, action == Action::"list", resource) when { principal.level > 3 };',
        entities=kept,
    )

    (found,) = SmtAnalyser().analyse(whole).findings

    assert found.example is not None
    assert CedarCompiler().compile(whole).evaluate(found.example).policies == ("f",)


def test_what_was_learned_of_other_worlds_changes_no_finding() -> None:
    """Every world shares texts of policies with others, so much is remembered and little of it is asked again."""
    remembering = SmtAnalyser()

    for seed in range(WORLDS):
        whole = bundle(*world(seed).values())
        remembered = {(found.kind, found.policies) for found in remembering.analyse(whole).findings}
        assert remembered == {(found.kind, found.policies) for found in SmtAnalyser().analyse(whole).findings}
