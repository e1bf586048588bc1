"""Who may do what: every role, action, resource and tenant of the shipped policies, against a table written by hand."""

from __future__ import annotations

from itertools import product

import pytest

from aeterna.cedar.adapters.cedar import CedarCompiler, CedarEngine
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.policy.settings import SHIPPED
from aeterna.policy.usecases.asking import request_of
from fixtures.fix_policy import question

ACTIONS = ("graph.read", "graph.write", "threads.read", "threads.write")
RESOURCES = ("Graph", "Thread")
SUBJECTS = ("User", "Agent")

READS = {("graph.read", "Graph"), ("threads.read", "Thread")}
WRITES = {("graph.write", "Graph"), ("threads.write", "Thread")}
# What each set of roles may do within its own tenant; across tenants nobody may do anything.
TABLE: dict[tuple[str, ...], set[tuple[str, str]]] = {
    (): set(),
    ("reader",): READS,
    ("writer",): READS | WRITES,
    ("admin",): READS | WRITES,
    ("reader", "writer"): READS | WRITES,
    ("unheard-of",): set(),
    ("unheard-of", "reader"): READS,
    ("Reader",): set(),
    ("ADMIN",): set(),
    ("admin ",): set(),
    ("",): set(),
    ('Aeterna::Role::"admin"',): set(),
}
CASES = list(product(TABLE, SUBJECTS, ACTIONS, RESOURCES, ("acme", "globex")))


@pytest.mark.parametrize(
    ("roles", "subject", "action", "resource", "owner"),
    CASES,
    ids=["+".join(roles) + f"-{'-'.join(rest)}" for roles, *rest in CASES],
)
def test_the_table_of_permissions_holds(
    roles: tuple[str, ...], subject: str, action: str, resource: str, owner: str, shipped_engine: CedarEngine
) -> None:
    verdict = shipped_engine.evaluate(
        request_of(question(action, roles=roles, subject=subject, resource=resource, owner=owner))
    )

    assert verdict.allowed == (owner == "acme" and (action, resource) in TABLE[roles])


def test_a_deny_across_tenants_names_the_policy_that_forbids(shipped_engine: CedarEngine) -> None:
    verdict = shipped_engine.evaluate(request_of(question(roles=["admin"], owner="globex")))

    assert verdict.policies == ("tenants-are-separate",)


def test_an_allow_names_the_policies_that_permit(shipped_engine: CedarEngine) -> None:
    verdict = shipped_engine.evaluate(request_of(question("graph.write", roles=["admin"])))

    assert verdict.policies == ("admins-do-all", "writers-write")


def test_the_shipped_bundle_keeps_its_own_schema() -> None:
    CedarCompiler().compile(DirectoryBundleSource(SHIPPED).read())
