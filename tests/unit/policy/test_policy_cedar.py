"""Bundles that must not be used, and questions that Cedar cannot make sense of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.cedar.adapters.cedar import CedarCompiler, CedarEngine
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.errors import BundleInvalidError
from aeterna.policy.domain.question import Entity, Question
from aeterna.policy.settings import SHIPPED
from aeterna.policy.usecases.asking import request_of
from fixtures.fix_policy import question

if TYPE_CHECKING:
    from collections.abc import Mapping

GOOD = DirectoryBundleSource(SHIPPED).read()
ENGINE = CedarCompiler().compile(GOOD)
PERMIT_ALL = '@id("all") permit (principal, action, resource);'

INVALID: list[tuple[str, Mapping[str, str], str]] = [
    ("bad.cedar", {"bad.cedar": "permit (principal"}, "a policy that does not parse"),
    (
        "bad.cedar",
        {"bad.cedar": '@id("x") permit (principal, action, resource) when { principal.height > 3 };'},
        "type",
    ),
    ("bad.cedar", {"bad.cedar": '@id("x") permit (principal, action == Action::"x", resource);'}, "unknown action"),
    ("bad.cedar", {"bad.cedar": "permit (principal, action, resource);"}, "a policy without a name"),
    ("b.cedar", {"a.cedar": PERMIT_ALL, "b.cedar": PERMIT_ALL}, "two policies of one name"),
    ("policies", {"empty.cedar": "// nothing yet"}, "no policies at all"),
]


@pytest.mark.parametrize(("where", "policies"), [row[:2] for row in INVALID], ids=[row[2] for row in INVALID])
def test_a_bundle_is_refused_with_the_file_that_is_wrong(where: str, policies: Mapping[str, str]) -> None:
    bundle = Bundle(policies={**policies}, schema=GOOD.schema, entities=GOOD.entities)

    with pytest.raises(BundleInvalidError) as refusal:
        CedarCompiler().compile(bundle)

    assert refusal.value.where == where


@pytest.mark.parametrize(
    "entities",
    ["{", "{}", '[{"uid": 7}]', '[{"uid": {"type": "Aeterna::Planet", "id": "mars"}, "attrs": {}, "parents": []}]'],
)
def test_entities_that_break_the_schema_are_refused(entities: str) -> None:
    with pytest.raises(BundleInvalidError, match=r"entities\.json"):
        CedarCompiler().compile(
            Bundle(policies=GOOD.policies, schema=GOOD.schema, entities={"entities.json": entities})
        )


def test_a_schema_that_does_not_parse_is_refused() -> None:
    with pytest.raises(BundleInvalidError, match="schema"):
        CedarCompiler().compile(Bundle(policies=GOOD.policies, schema="entity", entities={}))


def test_a_forbid_that_cannot_be_evaluated_is_a_deny() -> None:
    """Cedar itself would skip the failing forbid and allow: the one place where we are stricter than it."""
    bundle = Bundle(
        policies={
            "permit.cedar": PERMIT_ALL,
            "forbid.cedar": '@id("overflows") forbid (principal, action, resource)'
            " when { 9223372036854775807 + context.n > 0 };",
        },
        schema="namespace Aeterna { entity User; entity Graph; action read"
        " appliesTo { principal: User, resource: Graph, context: { n: Long } }; entity Role; }",
    )
    asked = Question(
        subject=Entity(type="User", id="a"), action="read", resource=Entity(type="Graph", id="g"), context={"n": 1}
    )

    verdict = CedarCompiler().compile(bundle).evaluate(request_of(asked))

    assert not verdict.allowed
    assert "overflow" in verdict.errors[0]


def test_a_request_cannot_describe_an_entity_that_the_bundle_keeps() -> None:
    """Or it could put itself below another role than the bundle says."""
    kept = json.dumps(
        [
            {"uid": {"type": "Aeterna::User", "id": "ada"}, "attrs": {"tenant": "acme"}, "parents": []},
        ]
    )
    engine = CedarCompiler().compile(
        Bundle(policies=GOOD.policies, schema=GOOD.schema, entities={"entities.json": kept})
    )

    verdict = engine.evaluate(request_of(question(roles=["admin"])))

    assert not verdict.allowed
    assert "kept in the bundle" in verdict.errors[0]


def test_roles_above_a_role_are_found_however_far_above() -> None:
    chain = [
        {"uid": {"__entity": {"type": "Aeterna::Role", "id": f"r{number}"}}, "attrs": {}, "parents": parents}
        for number in range(50)
        for parents in [[{"type": "Aeterna::Role", "id": f"r{number + 1}" if number < 49 else "reader"}]]
    ]
    engine = CedarCompiler().compile(
        Bundle(policies=GOOD.policies, schema=GOOD.schema, entities={"entities.json": json.dumps(chain)})
    )

    assert engine.evaluate(request_of(question(roles=["r0"]))).allowed


PROPERTY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["__entity", "__extn", "__expr", "type", "id", "fn", "arg"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(tenant=PROPERTY, roles=PROPERTY)
def test_no_value_of_a_property_gets_a_subject_into_another_tenant(tenant: object, roles: object) -> None:
    """Cedar's JSON has escapes that build entities and extension values; none of them equals a tenant's name."""
    asked = Question(
        subject=Entity(type="User", id="mallory", properties={"tenant": tenant, "roles": roles}),
        action="graph.read",
        resource=Entity(type="Graph", id="main", properties={"tenant": "the tenant of somebody else"}),
    )

    assert not ENGINE.evaluate(request_of(asked)).allowed


@given(name=st.text(max_size=40), kind=st.text(max_size=40), action=st.text(max_size=40))
def test_whatever_the_types_and_actions_are_called_the_answer_is_a_deny_and_not_a_crash(
    name: str, kind: str, action: str
) -> None:
    asked = Question(
        subject=Entity(type=kind, id=name, properties={"tenant": "acme", "roles": ["admin"]}),
        action=action,
        resource=Entity(type=kind, id=name, properties={"tenant": "acme"}),
    )

    assert not ENGINE.evaluate(request_of(asked)).allowed


@given(name=st.text(min_size=1, max_size=300))
def test_an_id_is_only_a_name(name: str) -> None:
    """Quotes, line breaks and Cedar syntax in an id change nothing."""
    asked = Question(
        subject=Entity(type="User", id=name, properties={"tenant": "acme", "roles": ["reader"]}),
        action="graph.read",
        resource=Entity(type="Graph", id=name, properties={"tenant": "acme"}),
    )

    assert ENGINE.evaluate(request_of(asked)).allowed
    assert isinstance(ENGINE, CedarEngine)
