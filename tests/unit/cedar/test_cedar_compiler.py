"""Bundles that must not be used: each is refused whole, with the file, the line where there is one, and the reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.adapters.cedar import MAX_ENTITY_CHARS, MAX_POLICY_CHARS, CedarCompiler
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.domain.request import Request, Uid
from aeterna.cedar.errors import BundleInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = """namespace N {
    entity Role in [Role];
    entity User in [Role] = { name: String };
    entity Doc;
    action read appliesTo { principal: User, resource: Doc, context: { n?: Long } };
}"""
ALL = '@id("all") permit (principal, action, resource);'
FAULTY = f'// the first is good\n{ALL}\n\n\n// and this one not\n@id("wrong")\npermit (principal, action, resource)\n'


def bundle(**files: str) -> Bundle:
    """Return a bundle of one good policy, with files added or replaced; ``__`` stands for ``/`` and ``_`` for a dot."""
    named = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    return Bundle.of({"s.cedarschema": SCHEMA, "all.cedar": ALL, **named})


def role(name: str, *parents: str, **more: object) -> Mapping[str, object]:
    """Return a role as an entity."""
    return {"uid": uid(name), "attrs": {}, "parents": [uid(parent) for parent in parents], **more}


def uid(name: str) -> Mapping[str, str]:
    """Return the uid of a role."""
    return {"type": "N::Role", "id": name}


def refusal(refused: Bundle) -> BundleInvalidError:
    """Return what a bundle is refused with."""
    with pytest.raises(BundleInvalidError) as caught:
        CedarCompiler().compile(refused)
    return caught.value


POLICIES: Mapping[str, tuple[str, int, str]] = {
    "a policy that does not parse": (FAULTY + "when { 1 + };", 6, "unexpected token"),
    "a policy that breaks the schema": (FAULTY + "when { principal.height > 3 };", 6, "`height`"),
    "the fault bears the policy's name": (FAULTY + "when { principal.height > 3 };", 6, "`wrong`"),
    "an action that there is not": ('@id("x") permit (principal, action == N::Action::"x", resource);', 1, "action"),
    "a policy without a name": ("\n permit (principal, action, resource);", 2, "@id"),
    "a policy with an empty name": ('@id("") permit (principal, action, resource);', 1, "@id"),
    "a name that is taken": (f"\n{ALL}", 2, "also in all.cedar"),
    "a name that is taken within the file": (
        FAULTY.replace("all", "a") + f";\n{ALL.replace('all', 'a')}",
        9,
        "also in",
    ),
    "a template": ('@id("t") permit (principal == ?principal, action, resource);', 1, "slots"),
    "a template that asks for a type": (
        '@id("t") permit (principal is N::User in ?principal, action, resource);',
        1,
        "slots",
    ),
    "a policy that is too long": (
        f'@id("x") permit (principal, action, resource) when {{ "{"x" * MAX_POLICY_CHARS}" == "" }};',
        1,
        "longer",
    ),
    "a policy that is nested too deeply": (
        '@id("x") permit (principal, action, resource) when { ' + " || ".join(["1 == 2"] * 900) + " };",
        1,
        "",
    ),
    "what is left over at the end": (f"{ALL.replace('all', 'x')}\npermit (", 2, ""),
}


@pytest.mark.parametrize(("text", "line", "reason"), POLICIES.values(), ids=POLICIES)
def test_a_bundle_is_refused_with_the_file_and_the_line_of_the_policy(text: str, line: int, reason: str) -> None:
    found = refusal(bundle(x_cedar=text))

    assert (found.where, found.line) == ("x.cedar", line)
    assert reason in found.reason


def test_a_bundle_without_any_policy_is_refused() -> None:
    assert refusal(bundle(all_cedar="// nothing yet")).where == "policies"


def test_a_schema_that_does_not_parse_is_refused() -> None:
    assert refusal(bundle(s_cedarschema="entity")).where == "s.cedarschema"


ENTITIES: Mapping[str, tuple[str, int | None, str]] = {
    "no JSON": ("{", None, "'['"),
    "no list": ("{}", None, "'['"),
    "a list without an end": ('[{"uid": {"type": "N::Role", "id": "a"}, "attrs": {}, "parents": []}', None, "','"),
    "more behind the list": ("[] []", None, "more"),
    "an element that is cut off": ('[{"uid": ', None, "Expecting value"),
    "no entity": ("[7]", 1, ""),
    "an entity without a uid": ('[\n{"uid": 7}]', 2, ""),
    "an entity of an unknown type": (
        json.dumps([role("a"), {"uid": {"type": "N::Planet", "id": "mars"}, "attrs": {}, "parents": []}], indent=1),
        10,
        "entity",
    ),
    "an attribute of another type": (
        json.dumps([{"uid": {"type": "N::User", "id": "u"}, "attrs": {"name": 3}, "parents": []}]),
        1,
        "",
    ),
    "an entity described in two ways": (f"[{json.dumps(role('a'))},\n{json.dumps(role('a', 'b'))}]", None, ""),
    "an entity that is too long": (json.dumps([role("x" * MAX_ENTITY_CHARS)]), 1, "longer"),
    "an entity that is in itself": (json.dumps([role("a", "a")]), 1, ""),
    "nested too deeply": ("[" * 100_000, None, "deep"),
}


@pytest.mark.parametrize(("text", "line", "reason"), ENTITIES.values(), ids=ENTITIES)
def test_entities_that_break_the_schema_are_refused(text: str, line: int | None, reason: str) -> None:
    found = refusal(bundle(entities_json=text))

    assert (found.where, found.line) == ("entities.json", line)
    assert reason in found.reason


@pytest.mark.parametrize("apart", [3, 200], ids=["near", "far"])
def test_a_circle_of_entities_is_refused_however_far_apart_they_are_listed(apart: int) -> None:
    """Cedar sees a circle only within what it is given at once, and it is given a lot at a time."""
    between = [role(f"r{number}") for number in range(apart)]

    found = refusal(bundle(entities_json=json.dumps([role("a", "b"), *between, role("b", "c"), role("c", "a")])))

    assert "in itself" in found.reason or "closure" in found.reason


def test_a_circle_through_what_only_a_tenant_has_is_refused() -> None:
    shared, own = json.dumps([role("a", "b")]), json.dumps([role("b", "a")])

    assert refusal(bundle(entities_json=shared, tenants__t__entities_json=own)).where == "tenants/t/entities.json"


@pytest.mark.parametrize("own", [role("a"), role("a", "b")], ids=["alike", "another"])
def test_a_tenant_can_repeat_an_entity_of_everybody_but_not_describe_another(own: Mapping[str, object]) -> None:
    made = bundle(entities_json=json.dumps([role("a")]), tenants__t__entities_json=json.dumps([own]))

    if own["parents"]:
        assert "twice" in refusal(made).reason
    else:
        CedarCompiler().compile(made)


def test_a_tenant_cannot_name_a_policy_as_one_of_everybody_is_named() -> None:
    assert refusal(bundle(tenants__t__own_cedar=ALL)).where == "tenants/t/own.cedar"


def test_two_tenants_can_name_their_policies_alike() -> None:
    forbid = '@id("mine") forbid (principal, action, resource);'

    CedarCompiler().compile(bundle(tenants__t__a_cedar=forbid, tenants__u__a_cedar=forbid))


@pytest.mark.parametrize("count", [40, 60, 300])
def test_a_policy_with_many_alternatives_decides_as_any_other(count: int) -> None:
    """Cedar writes JSON that is nested too deeply for it to read back; such a policy is kept as text."""
    some = " || ".join(f'principal == N::User::"u{number}"' for number in range(count))
    made = bundle(
        all_cedar=f'@id("policy0") permit (principal, action, resource) when {{ {some} }};',
        more_cedar='@id("never") forbid (principal, action, resource) when { context has n && context.n > 3 };',
    )
    engine = CedarCompiler().compile(made)

    verdicts = [engine.evaluate(asked(f"u{number}")) for number in (0, count - 1, count)]

    assert [(verdict.allowed, verdict.policies) for verdict in verdicts] == [
        (True, ("policy0",)),
        (True, ("policy0",)),
        (False, ()),
    ]


def test_a_comment_that_a_carriage_return_ends_does_not_swallow_a_forbid() -> None:
    """To Cedar it ends a line, and what it decides by must be what it was given."""
    made = bundle(more_cedar='// no\r@id("no") forbid (principal, action, resource);')

    assert CedarCompiler().compile(made).evaluate(asked("u")).policies == ("no",)


def asked(user: str, tenant: str | None = None) -> Request:
    """Return a request of a user."""
    return Request(
        principal=Uid("N::User", user), action=Uid("N::Action", "read"), resource=Uid("N::Doc", "d"), tenant=tenant
    )
