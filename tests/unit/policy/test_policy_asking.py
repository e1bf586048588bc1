"""What Cedar is asked when AuthZEN asks: names, parents, whose policies, and what is brought."""

from __future__ import annotations

import pytest

from aeterna.cedar.domain.request import BroughtEntity, Request, Uid
from aeterna.policy.domain.question import Entity, Question
from aeterna.policy.usecases.asking import request_of
from fixtures.fix_policy import question

USER = Entity(type="User", id="ada")
GRAPH = Entity(type="Graph", id="main")


def asked(subject: Entity = USER, resource: Entity = GRAPH, **more: object) -> Question:
    """Return a question that says nothing of its entities."""
    return Question(subject=subject, action="read", resource=resource, **more)  # pyright: ignore[reportArgumentType]


def test_of_entities_that_the_question_says_nothing_of_nothing_is_brought() -> None:
    """What the bundle keeps of them counts then."""
    assert request_of(asked()) == Request(
        principal=Uid("Aeterna::User", "ada"),
        action=Uid("Aeterna::Action", "read"),
        resource=Uid("Aeterna::Graph", "main"),
    )


def test_roles_are_parents_and_other_properties_are_attributes() -> None:
    request = request_of(question(roles=["writer", "reader", "writer"]))

    assert request.brought == (
        BroughtEntity(
            uid=Uid("Aeterna::User", "ada"),
            attributes={"tenant": "acme"},
            parents=(Uid("Aeterna::Role", "reader"), Uid("Aeterna::Role", "writer")),
        ),
        BroughtEntity(uid=Uid("Aeterna::Graph", "main"), attributes={"tenant": "acme"}),
    )


@pytest.mark.parametrize(
    ("namespace", "written", "full"),
    [
        ("Aeterna", "User", "Aeterna::User"),
        ("Aeterna", "Other::User", "Other::User"),
        ("A::B", "User", "A::B::User"),
        ("", "User", "User"),
    ],
)
def test_a_type_without_a_namespace_is_one_of_the_sidecars(namespace: str, written: str, full: str) -> None:
    request = request_of(asked(Entity(type=written, id="ada", properties={"roles": ["r"]})), namespace=namespace)

    assert request.principal == Uid(full, "ada")
    assert request.brought[0].parents == (Uid(f"{namespace}::Role" if namespace else "Role", "r"),)


def test_a_literal_question_is_taken_as_it_is_written() -> None:
    request = request_of(asked(literal=True, action_type="N::Action"))

    assert (request.principal.type, request.action, request.resource.type) == (
        "User",
        Uid("N::Action", "read"),
        "Graph",
    )


@pytest.mark.parametrize(
    ("properties", "tenant", "expected"),
    [
        ({"tenant": "acme"}, None, "acme"),
        ({"tenant": "acme"}, "own", "acme"),
        ({}, "own", "own"),
        ({"x": 1}, None, None),
    ],
)
def test_the_tenant_is_the_subjects_else_the_sidecars_else_none(
    properties: dict[str, object], tenant: str | None, expected: str | None
) -> None:
    request = request_of(asked(Entity(type="User", id="ada", properties=properties)), tenant_of=lambda _: tenant)

    assert request.tenant == expected


def test_the_tenant_of_a_described_subject_counts_and_that_of_others_does_not() -> None:
    described = (
        BroughtEntity(uid=Uid("Graph", "main"), attributes={"tenant": "globex"}),
        BroughtEntity(uid=Uid("User", "ada"), attributes={"tenant": "acme"}),
    )

    assert request_of(asked(literal=True, described=described)).tenant == "acme"
    assert request_of(asked(literal=True, described=described[:1])).tenant is None


@pytest.mark.parametrize("tenant", [None, "", 1, True, ["acme"], {"a": "acme"}])
def test_a_tenant_that_is_no_name_is_not_taken_for_none(tenant: object) -> None:
    """Else whoever sends nonsense would be asked by fewer policies than the tenant's own."""
    with pytest.raises(ValueError, match="tenant"):
        request_of(asked(Entity(type="User", id="ada", properties={"tenant": tenant})), tenant_of=lambda _: "own")


@pytest.mark.parametrize("roles", ["admin", None, {"admin": True}, [1], [["admin"]], [str(n) for n in range(101)]])
def test_roles_that_are_none_are_refused(roles: object) -> None:
    with pytest.raises(ValueError, match="role"):
        request_of(asked(Entity(type="User", id="ada", properties={"roles": roles})))
