"""What an engine makes of requests: of entities that are kept and brought, of tenants, and of what makes no sense."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.domain.request import BroughtEntity, Request, Uid
from aeterna.policy.settings import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Mapping

GOOD = DirectoryBundleSource(SHIPPED).read()
ENGINE = CedarCompiler().compile(GOOD)
READER = Uid("Aeterna::Role", "reader")

SCHEMA = """namespace N {
    entity Group in [Group];
    entity User in [Group] = { boss: User, level: Long };
    entity Doc = { owner: User };
    action "any";
    action read, write in ["any"] appliesTo { principal: User, resource: Doc, context: { n?: Long, on?: User } };
}"""


def request(
    *,
    user: str = "ada",
    tenant: object = "acme",
    owner: object = "acme",
    parents: tuple[Uid, ...] = (READER,),
    graph: str = "main",
) -> Request:
    """Return a request that the shipped policies allow, changed where the test says so."""
    principal, resource = Uid("Aeterna::User", user), Uid("Aeterna::Graph", graph)
    return Request(
        principal=principal,
        action=Uid("Aeterna::Action", "graph.read"),
        resource=resource,
        brought=(
            BroughtEntity(uid=principal, attributes={"tenant": tenant}, parents=parents),
            BroughtEntity(uid=resource, attributes={"tenant": owner}),
        ),
    )


def small(**files: str) -> Bundle:
    """Return a bundle of few users and documents; ``__`` in a name stands for ``/`` and ``_`` for a dot."""
    entities = [
        entity("Group", "staff"),
        entity("Group", "crew", parents=["staff"]),
        entity("User", "ada", {"level": 3, "boss": {"type": "N::User", "id": "bob"}}, parents=["crew"]),
        entity("User", "bob", {"level": 7, "boss": {"__entity": {"type": "N::User", "id": "cyd"}}}),
        entity("User", "cyd", {"level": 9}),
        entity("Doc", "plan", {"owner": {"type": "N::User", "id": "ada"}}),
    ]
    named = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    return Bundle.of({"s.cedarschema": SCHEMA, "entities.json": json.dumps(entities), **named})


def entity(
    kind: str, name: str, attributes: dict[str, object] | None = None, *, parents: list[str] | None = None
) -> dict[str, object]:
    """Return an entity in Cedar's JSON; every user has a boss."""
    above = [{"type": "N::Group", "id": parent} for parent in parents or ()]
    boss = {"boss": {"type": "N::User", "id": "cyd"}} if kind == "User" else {}
    return {"uid": {"type": f"N::{kind}", "id": name}, "attrs": {**boss, **(attributes or {})}, "parents": above}


def reads(user: str = "ada", *, context: Mapping[str, object] | None = None, tenant: str | None = None) -> Request:
    """Return a request about what is kept."""
    return Request(
        principal=Uid("N::User", user),
        action=Uid("N::Action", "read"),
        resource=Uid("N::Doc", "plan"),
        context=context or {},
        tenant=tenant,
    )


def permit(scope: str = "principal, action, resource", condition: str = "true") -> str:
    """Return a policy."""
    return f'@id("it") permit ({scope}) when {{ {condition} }};'


LOOKING: list[tuple[str, str, str]] = [
    ("an attribute of the principal", "principal, action, resource", "principal.level == 3"),
    ("an attribute three entities away", "principal, action, resource", "resource.owner.boss.boss.level == 9"),
    ("an attribute of a literal", "principal, action, resource", 'N::User::"cyd".level == 9'),
    (
        "a literal behind a choice",
        "principal, action, resource",
        '(if context has n then principal else N::User::"cyd").level == 9',
    ),
    ("who a boss is in", "principal, action, resource", 'resource.owner in N::Group::"staff"'),
    ("a group far above", 'principal in N::Group::"staff", action, resource', "true"),
    ("a group of a type", 'principal is N::User in N::Group::"staff", action, resource', "true"),
    ("itself", 'principal in N::User::"ada", action, resource', "true"),
    ("a group of actions", 'principal, action in N::Action::"any", resource', "true"),
    ("a choice of actions", 'principal, action in [N::Action::"write", N::Action::"any"], resource', "true"),
    ("the type of the resource", "principal, action, resource is N::Doc", "true"),
    ("exactly these", 'principal == N::User::"ada", action == N::Action::"read", resource == N::Doc::"plan"', "true"),
]


@pytest.mark.parametrize(("scope", "condition"), [row[1:] for row in LOOKING], ids=[row[0] for row in LOOKING])
def test_a_policy_sees_what_is_kept(scope: str, condition: str) -> None:
    engine = CedarCompiler().compile(small(a_cedar=permit(scope, condition)))

    verdict = engine.evaluate(reads())

    assert (verdict.allowed, verdict.policies, verdict.errors) == (True, ("it",), ())


def test_a_policy_sees_what_an_entity_in_the_context_leads_to() -> None:
    engine = CedarCompiler().compile(small(a_cedar=permit(condition="context has on && context.on.boss.level == 9")))

    assert engine.evaluate(reads(context={"on": {"type": "N::User", "id": "bob"}})).allowed


def test_a_group_that_only_the_request_knows_counts_for_who_is_kept_in_it() -> None:
    """Kept and brought entities are one set to Cedar: a kept user can be in a group that a request puts in another."""
    late = Uid("N::Group", "late")
    entities = [entity("User", "ada", {"level": 1}, parents=["late"]), entity("Group", "staff")]
    made = small(a_cedar=permit('principal in N::Group::"staff", action, resource'), entities_json=json.dumps(entities))
    plain = Request(principal=Uid("N::User", "ada"), action=Uid("N::Action", "read"), resource=Uid("N::Doc", "plan"))
    bringing = Request(
        principal=plain.principal,
        action=plain.action,
        resource=plain.resource,
        brought=(BroughtEntity(uid=late, parents=(Uid("N::Group", "staff"),)),),
    )
    engine = CedarCompiler().compile(made)

    assert [engine.evaluate(asked).allowed for asked in (plain, bringing)] == [False, True]


def test_a_tenant_has_its_own_policies_and_entities_beside_everybodys() -> None:
    made = small(
        a_cedar=permit(condition="principal.level == 3"),
        tenants__t__a_cedar='@id("mine") forbid (principal, action, resource) when { principal.level == 3 };',
        tenants__t__entities_json=json.dumps([entity("User", "eve", {"level": 3})]),
    )
    engine = CedarCompiler().compile(made)

    asked = [reads(tenant="t"), reads(tenant="u"), reads(), reads("eve", tenant="t"), reads("eve", tenant="u")]
    verdicts = [engine.evaluate(one) for one in asked]

    assert [(verdict.allowed, verdict.policies) for verdict in verdicts] == [
        (False, ("mine",)),
        (True, ("it",)),
        (True, ("it",)),
        (False, ("mine",)),
        (False, ()),
    ]
    assert "eve" in verdicts[4].errors[0]


def test_a_forbid_that_cannot_be_evaluated_is_a_deny() -> None:
    """Cedar itself would skip the failing forbid and allow: the one place where we are stricter than it."""
    overflow = (
        '@id("overflows") forbid (principal, action, resource) when { 9223372036854775807 + principal.level > 0 };'
    )
    engine = CedarCompiler().compile(small(a_cedar=permit(), b_cedar=overflow))

    verdict = engine.evaluate(reads())

    assert not verdict.allowed
    assert "`overflows`" in verdict.errors[0]
    assert "overflow" in verdict.errors[0]


@pytest.mark.parametrize(
    ("user", "allowed", "policies"),
    [("ada", True, ("p3",)), ("bob", False, ("f7",)), ("cyd", False, ()), ("nobody", False, ())],
)
def test_hundreds_of_policies_that_fit_everything_are_decided_by_as_one_set(
    user: str, allowed: bool, policies: tuple[str, ...]
) -> None:
    """They are evaluated in parts, and what permits in one part is stopped by what forbids in another."""
    permits = [
        f'@id("p{level}") permit (principal, action, resource) when {{ principal.level == {level} }};'
        for level in range(8)
    ]
    others = [
        f'@id("o{level}") permit (principal, action, resource) when {{ principal.level == {level} }};'
        for level in range(100, 600)
    ]
    forbid = '@id("f7") forbid (principal == N::User::"bob", action, resource);'
    engine = CedarCompiler().compile(small(a_cedar="\n".join([*permits, *others, forbid])))

    verdict = engine.evaluate(reads(user))

    assert (verdict.allowed, verdict.policies) == (allowed, policies)


def test_a_retired_engine_gives_up_what_it_remembered_and_could_still_decide() -> None:
    engine = CedarCompiler().compile(small(a_cedar=permit()))
    before = engine.evaluate(reads())

    engine.retire()

    assert engine.evaluate(reads()) == before


def test_a_policy_that_cannot_apply_cannot_fail_either() -> None:
    failing = (
        '@id("no") forbid (principal, action == N::Action::"write", resource) when { 9223372036854775807 + 1 > 0 };'
    )
    engine = CedarCompiler().compile(small(a_cedar=permit(), b_cedar=failing))

    assert engine.evaluate(reads()).allowed


def test_a_request_that_lacks_what_the_schema_needs_is_a_deny_with_an_error() -> None:
    engine = CedarCompiler().compile(small(a_cedar=permit()))

    verdict = engine.evaluate(reads(context={"n": "not a number"}))

    assert (verdict.allowed, verdict.policies) == (False, ())
    assert verdict.errors


def test_a_request_cannot_describe_an_entity_that_the_bundle_keeps() -> None:
    """Or it could put itself below another role than the bundle says."""
    kept = json.dumps([{"uid": {"type": "Aeterna::User", "id": "ada"}, "attrs": {"tenant": "acme"}, "parents": []}])
    made = Bundle(policies=GOOD.policies, schema=GOOD.schema, entities={**GOOD.entities, "more/entities.json": kept})
    engine = CedarCompiler().compile(made)

    verdict = engine.evaluate(request())

    assert not verdict.allowed
    assert "kept in the bundle" in verdict.errors[0]


def test_roles_above_a_role_are_found_however_far_above() -> None:
    chain = [
        {"uid": {"__entity": {"type": "Aeterna::Role", "id": f"r{number}"}}, "attrs": {}, "parents": parents}
        for number in range(50)
        for parents in [[{"type": "Aeterna::Role", "id": f"r{number + 1}" if number < 49 else "reader"}]]
    ]
    made = Bundle(policies=GOOD.policies, schema=GOOD.schema, entities={"entities.json": json.dumps(chain)})
    engine = CedarCompiler().compile(made)

    assert engine.evaluate(request(parents=(Uid("Aeterna::Role", "r0"),))).allowed


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


@given(tenant=PROPERTY)
def test_no_value_of_a_property_gets_a_subject_into_another_tenant(tenant: object) -> None:
    """Cedar's JSON has escapes that build entities and extension values; none of them equals a tenant's name."""
    asked = request(tenant=tenant, owner="the tenant of somebody else")

    assert not ENGINE.evaluate(asked).allowed


@given(name=st.text(max_size=40), kind=st.text(max_size=40), action=st.text(max_size=40))
def test_whatever_the_types_and_actions_are_called_the_answer_is_a_deny_and_not_a_crash(
    name: str, kind: str, action: str
) -> None:
    uid = Uid(kind, name)
    asked = Request(
        principal=uid,
        action=Uid("Aeterna::Action", action),
        resource=uid,
        brought=(BroughtEntity(uid=uid, attributes={"tenant": "acme"}, parents=(READER,)),),
    )

    assert not ENGINE.evaluate(asked).allowed


@given(name=st.text(min_size=1, max_size=300))
def test_an_id_is_only_a_name(name: str) -> None:
    """Quotes, line breaks and Cedar syntax in an id change nothing."""
    assert ENGINE.evaluate(request(user=name, graph=name)).allowed


def test_a_context_that_is_nested_too_deeply_is_a_deny() -> None:
    deep: object = 1
    for _ in range(5000):
        deep = [deep]

    assert not ENGINE.evaluate(
        Request(
            principal=Uid("Aeterna::User", "ada"),
            action=Uid("Aeterna::Action", "graph.read"),
            resource=Uid("Aeterna::Graph", "main"),
            context={"deep": deep},
        )
    ).allowed
