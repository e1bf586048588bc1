"""Who may do what: everything that the shipped schema can ask of the shipped policies, against a table made by hand."""

from __future__ import annotations

from itertools import chain, combinations, product
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import orjson
import pytest

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.policies.domain.typed.schema import schema_of
from aeterna.policy.domain.question import Entity, Question
from aeterna.policy.settings import SHIPPED
from aeterna.policy.usecases.asking import request_of
from fixtures.fix_policy import question

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aeterna.cedar.ports import Engine

EVERYBODY: Final = frozenset({"reader", "writer", "admin"})
WRITERS: Final = frozenset({"writer", "admin"})
RUNNERS: Final = frozenset({"runner", "admin"})
ADMINS: Final = frozenset({"admin"})

# Who may do an action on a resource of their own tenant, by role; who has several may do what any of them may. What is
# not here nobody may do, and whatever is here nobody may do in another tenant, or without one.
TABLE: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        ("graph.read", "Graph"): EVERYBODY,
        ("graph.write", "Graph"): WRITERS,
        ("graph.manage", "Graph"): ADMINS,
        ("graph.erase", "Graph"): ADMINS,
        ("threads.read", "Thread"): EVERYBODY,
        ("threads.write", "Thread"): WRITERS,
        ("threads.run", "Thread"): RUNNERS,
        ("threads.operate", "Thread"): ADMINS,
        ("threads.erase", "Thread"): ADMINS,
        ("policies.read", "Policies"): ADMINS,
        ("policies.propose", "Policies"): ADMINS,
        ("policies.deploy", "Policies"): ADMINS,
    }
)
SUBJECTS: Final = frozenset({"User", "Agent"})
# Whatever their roles, people do not run tasks.
AGENTS_ONLY: Final = frozenset({"threads.run"})
RESOURCES: Final = frozenset({"Graph", "Thread", "Policies"})
ROLES: Final = EVERYBODY | RUNNERS
# Names that only look like a role.
NO_ROLES: Final = ("unheard-of", "Reader", "ADMIN", "admin ", "", 'Aeterna::Role::"admin"', "adm\u0131n")

BUNDLE = DirectoryBundleSource(SHIPPED).read()
SCHEMA = schema_of(BUNDLE.schema)
TYPES = sorted(name.removeprefix("Aeterna::") for name in SCHEMA.entity_types)
ACTIONS = sorted(uid.id for uid in SCHEMA.actions)

ACME: Final[Mapping[str, object]] = MappingProxyType({"tenant": "acme"})
GLOBEX: Final[Mapping[str, object]] = MappingProxyType({"tenant": "globex"})
NONE: Final[Mapping[str, object]] = MappingProxyType({})
# The subject's tenant, the resource's, and whether that is one and the same.
TENANCIES: Final = (
    (ACME, ACME, True),
    (GLOBEX, GLOBEX, True),
    (ACME, GLOBEX, False),
    (GLOBEX, ACME, False),
    (NONE, ACME, False),
    (ACME, NONE, False),
    (NONE, NONE, False),
)


def role_sets() -> Iterator[tuple[str, ...]]:
    """Return every set of roles, each no role alone, and each beside a role."""
    known = sorted(ROLES)
    yield from chain.from_iterable(combinations(known, size) for size in range(len(known) + 1))
    for name in NO_ROLES:
        yield (name,)
        yield (name, "reader")


def asked(
    subject: str, roles: tuple[str, ...], action: str, resource: str, tenants: tuple[Mapping[str, object], ...]
) -> Question:
    """Return a question of the matrix."""
    return Question(
        subject=Entity(type=subject, id="ada", properties={**tenants[0], "roles": list(roles)}),
        action=action,
        resource=Entity(type=resource, id="main", properties=dict(tenants[1])),
    )


def may_ever(subject: str, action: str) -> bool:
    """Return whether principals of the type may do the action with the right role."""
    return subject in SUBJECTS and (subject == "Agent" or action not in AGENTS_ONLY)


def test_the_table_has_a_row_for_each_action_and_each_resource_of_the_schema() -> None:
    """Whoever adds one decides who may do it, here."""
    rows = {
        (uid.id, resource.removeprefix("Aeterna::"))
        for uid, action in SCHEMA.actions.items()
        for resource in action.resources
    }
    subjects = {name.removeprefix("Aeterna::") for action in SCHEMA.actions.values() for name in action.principals}
    closed = {uid.id for uid, action in SCHEMA.actions.items() if "Aeterna::User" not in action.principals}

    assert rows == set(TABLE)
    assert closed == AGENTS_ONLY
    assert {resource for _, resource in rows} == RESOURCES
    assert subjects == SUBJECTS
    assert set(TYPES) == SUBJECTS | RESOURCES | {"Role"}


def test_the_table_knows_each_role_that_is_stored() -> None:
    stored = [entity["uid"] for text in BUNDLE.entities.values() for entity in orjson.loads(text)]

    assert {uid["id"] for uid in stored if uid["type"] == "Aeterna::Role"} == ROLES


@pytest.mark.parametrize("resource", TYPES)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("subject", TYPES)
def test_the_table_of_permissions_holds(subject: str, action: str, resource: str, shipped_engine: Engine) -> None:
    """Each is asked by every set of roles and in every tenancy: 210 questions a case."""
    wrong = [
        (roles, dict(own), dict(owner))
        for roles, (own, owner, same) in product(role_sets(), TENANCIES)
        if shipped_engine.evaluate(request_of(asked(subject, roles, action, resource, (own, owner)))).allowed
        is not (same and may_ever(subject, action) and bool(TABLE.get((action, resource), frozenset()) & {*roles}))
    ]

    assert wrong == []


@pytest.mark.parametrize("tenants", [(own, owner) for own, owner, _ in TENANCIES], ids=range(len(TENANCIES)))
@pytest.mark.parametrize("action", ["", "graph", "graph.*", "GRAPH.READ", "graph.read ", "policies.everything"])
def test_an_action_that_the_schema_does_not_know_is_nobodys(
    action: str, tenants: tuple[Mapping[str, object], ...], shipped_engine: Engine
) -> None:
    verdicts = [
        shipped_engine.evaluate(request_of(asked(subject, tuple(sorted(ROLES)), action, resource, tenants)))
        for subject, resource in product(SUBJECTS, RESOURCES)
    ]

    assert not any(verdict.allowed for verdict in verdicts)


def test_a_deny_across_tenants_names_the_policy_that_forbids(shipped_engine: Engine) -> None:
    verdict = shipped_engine.evaluate(request_of(question(roles=["admin"], owner="globex")))

    assert verdict.policies == ("tenants-are-separate",)


def test_an_allow_names_the_policies_that_permit(shipped_engine: Engine) -> None:
    verdict = shipped_engine.evaluate(request_of(question("graph.write", roles=["admin"])))

    assert verdict.policies == ("admins-do-all", "writers-write")


def test_the_shipped_bundle_keeps_its_own_schema() -> None:
    CedarCompiler().compile(DirectoryBundleSource(SHIPPED).read())
