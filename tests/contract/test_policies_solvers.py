"""What every solver of formulas about policies does, the fake as well as the one that is shipped."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.domain.request import Request, Uid
from aeterna.policies.adapters.smt.solver import Z3Solvers
from aeterna.policies.domain.typed.formula import Environment, all_of, any_of, fails, not_, takes_effect
from aeterna.policies.testing import FakeSolver, Tried
from fixtures.policy_trees import trees

if TYPE_CHECKING:
    from aeterna.policies.domain.typed.formula import Formula
    from aeterna.policies.ports import Solver

SCHEMA = """
entity User; entity Doc;
action view, edit appliesTo { principal: [User], resource: [Doc], context: { n: Long } };
"""
POLICIES = """
@id("views") permit (principal, action == Action::"view", resource) when { context.n > 0 };
@id("sums") permit (principal, action, resource) when { context.n + 1 > 1 };
"""
VIEWS, SUMS = trees(POLICIES)
VIEW, EDIT = (
    Environment(principal_type="User", action=Uid("Action", name), resource_type="Doc") for name in ("view", "edit")
)


def tried(env: Environment, number: int, *effective: str, failing: tuple[str, ...] = ()) -> Tried:
    request = Request(principal=Uid("User", "u"), action=env.action, resource=Uid("Doc", "d"), context={"n": number})
    return Tried(environment=env, request=request, effective=frozenset(effective), failing=frozenset(failing))


FAKE = FakeSolver(
    tried(VIEW, 1, "views", "sums"),
    tried(VIEW, 0),
    tried(VIEW, 2**63 - 1, "views", failing=("sums",)),
    tried(EDIT, 1, "sums"),
    tried(EDIT, 0),
    tried(EDIT, 2**63 - 1, failing=("sums",)),
)


@pytest.fixture(params=[FAKE, Z3Solvers(timeout=timedelta(seconds=60)).of(SCHEMA)], ids=["fake", "z3"])
def solver(request: pytest.FixtureRequest) -> Solver:
    found: Solver = request.param
    return found


def test_environments_are_sorted(solver: Solver) -> None:
    assert list(solver.environments()) == [EDIT, VIEW]


@pytest.mark.parametrize(
    ("why", "env", "wanted"),
    [
        ("both take effect", VIEW, all_of(takes_effect(VIEWS), takes_effect(SUMS))),
        ("one fails while the other takes effect", VIEW, all_of(takes_effect(VIEWS), fails(SUMS))),
        (
            "neither takes effect and none fails",
            VIEW,
            not_(any_of(takes_effect(VIEWS), takes_effect(SUMS), fails(SUMS))),
        ),
        ("nothing is demanded", EDIT, all_of()),
    ],
)
def test_an_example_is_a_request_of_the_shape_that_was_asked_for(
    solver: Solver, why: str, env: Environment, wanted: Formula
) -> None:
    found = solver.find(env, wanted)

    assert found is not None, why
    assert (found.request.principal.type, found.request.action) == (env.principal_type, env.action)


@pytest.mark.parametrize(
    ("why", "env", "wanted"),
    [
        ("an action that the policy is not about", EDIT, takes_effect(VIEWS)),
        ("what implies the other, unless that one fails", VIEW,
         all_of(takes_effect(VIEWS), not_(takes_effect(SUMS)), not_(fails(SUMS)))),
        ("taking effect and failing", VIEW, all_of(takes_effect(SUMS), fails(SUMS))),
        ("nothing is enough", VIEW, any_of()),
    ],
)  # fmt: skip
def test_there_is_none_where_no_request_can_be(solver: Solver, why: str, env: Environment, wanted: Formula) -> None:
    assert solver.find(env, wanted) is None, why
