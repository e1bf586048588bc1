"""What the solver says of policies is what Cedar says, wherever everything that could be can be tried.

``AETERNA_SMT_SEEDS`` says how many schemas are drawn; each has some 150 questions in each of its eight environments.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import cedarpy
import pytest

from aeterna.policies.adapters.smt.solver import Z3Solvers
from aeterna.policies.domain.typed.formula import Formula, all_of, any_of, fails, not_, takes_effect
from aeterna.policies.domain.typed.policy import Policy
from aeterna.policies.errors import UndecidedError
from aeterna.policies.ports import Solver
from fixtures.policy_trees import trees
from fixtures.small_policies import PolicyWriter
from fixtures.small_worlds import SmallSchema, World, drawn_schema, number_of_worlds, worlds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.policies.domain.typed.formula import Environment

SEEDS = int(os.environ.get("AETERNA_SMT_SEEDS", "10"))
POLICIES = 6
DRAWN_WORLDS = 400
ALL_WORLDS = 5000
Truth = tuple[bool, bool]


@dataclass(frozen=True)
class Question:
    """A formula for the solver, and the same said of what Cedar says of the policies in one world."""

    said: str
    formula: Formula
    holds: Callable[[World], bool]


@dataclass(frozen=True)
class Trial:
    """One schema, its policies, and what Cedar says of each in each world."""

    schema: SmallSchema
    policies: tuple[Policy, ...]
    worlds: list[World]
    truth: dict[tuple[int, int], Truth]
    solver: Solver

    def questions(self) -> Iterator[Question]:
        """Yield what is asked of each policy alone and of each two."""
        truth = self.truth
        for number, p in enumerate(self.policies):
            yield Question(p.id, takes_effect(p), lambda w, n=number: truth[n, id(w)][0])
            yield Question(f"not {p.id}", not_(takes_effect(p)), lambda w, n=number: not truth[n, id(w)][0])
            yield Question(f"{p.id} fails", fails(p), lambda w, n=number: truth[n, id(w)][1])
            for other, q in enumerate(self.policies):
                if number == other:
                    continue
                yield Question(
                    f"{p.id} and not {q.id}",
                    all_of(takes_effect(p), not_(takes_effect(q))),
                    lambda w, n=number, o=other: truth[n, id(w)][0] and not truth[o, id(w)][0],
                )
                if number < other:
                    yield Question(
                        f"{p.id} and {q.id}",
                        all_of(takes_effect(p), takes_effect(q)),
                        lambda w, n=number, o=other: truth[n, id(w)][0] and truth[o, id(w)][0],
                    )
                    yield Question(
                        f"{p.id} or {q.id} fails",
                        any_of(takes_effect(p), fails(q)),
                        lambda w, n=number, o=other: truth[n, id(w)][0] or truth[o, id(w)][1],
                    )

    def worlds_of(self, env: Environment) -> list[World]:
        """Return the worlds whose request has this shape."""
        shape = (env.principal_type, env.action.id, env.resource_type)
        return [world for world in self.worlds if (world.principal[0], world.action, world.resource[0]) == shape]


def drawn(seed: int) -> Trial:
    """Draw a schema of many types of which many worlds are tried."""
    chance = random.Random(seed)  # noqa: S311 - a world, not a key
    return trial(drawn_schema(chance, attributes=6), chance, most=DRAWN_WORLDS)


def exhausted(seed: int) -> Trial:
    """Draw a schema so small that every world over its few values is tried."""
    chance = random.Random(seed)  # noqa: S311 - a world, not a key
    small = (drawn_schema(chance, attributes=1) for _ in count())
    schema = next(schema for schema in small if number_of_worlds(schema) <= ALL_WORLDS)
    return trial(schema, chance, most=ALL_WORLDS)


def trial(schema: SmallSchema, chance: random.Random, *, most: int) -> Trial:
    """Draw policies and worlds, and ask Cedar about all of them."""
    text = "".join(PolicyWriter(schema, chance).policies(POLICIES))
    policies = trees(text)
    parsed = cedarpy.Schema.from_str(schema.text())
    alone = [cedarpy.PolicySet.from_str(policy.text) for policy in policies]
    tried = worlds(schema, chance, most=most)
    truth = {
        (number, id(world)): world.decides(policy, parsed) for number, policy in enumerate(alone) for world in tried
    }
    solver = Z3Solvers(timeout=timedelta(seconds=60)).of(schema.text())
    return Trial(schema, policies, tried, truth, solver)


def compared(tried: Trial) -> Counter[str]:
    """Ask the solver every question, hold each answer against all worlds, and count the answers."""
    counts: Counter[str] = Counter()
    for env in tried.solver.environments():
        here = tried.worlds_of(env)
        for question in tried.questions():
            witness = next((world for world in here if question.holds(world)), None)
            try:
                example = tried.solver.find(env, question.formula)
            except UndecidedError as exc:
                counts[f"undecided: {exc.reason}"] += 1
                continue
            if example is None:
                assert witness is None, _told(tried, env, question, str(witness))
            counts["impossible" if example is None else "found" if witness is None else "found as tried"] += 1
    return counts


def _told(tried: Trial, env: Environment, question: Question, why: str) -> str:
    texts = "\n".join(policy.text for policy in tried.policies if policy.id in question.said)
    return f"{question.said} in {env}:\n{tried.schema.text()}\n{texts}\n{why}"


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_the_solver_calls_impossible_none_of_many_worlds_shows(seed: int) -> None:
    """An example was confirmed by Cedar before it came here; that there is none is what must be held against worlds."""
    counts = compared(drawn(seed))

    assert counts["found as tried"] > 0
    assert {said for said in counts if said.startswith("undecided")} == set(), counts


@pytest.mark.parametrize("seed", range(max(1, SEEDS // 5)))
def test_what_the_solver_calls_impossible_no_world_at_all_shows(seed: int) -> None:
    counts = compared(exhausted(seed))

    assert counts["found as tried"] > 0
    assert {said for said in counts if said.startswith("undecided")} == set(), counts


OPERATORS = set(
    """
    == != < <= > >= + - * in has is like if && || ! contains containsAll containsAny isEmpty hasTag getTag
    decimal lessThan lessThanOrEqual greaterThan greaterThanOrEqual ip isIpv4 isIpv6 isInRange isLoopback isMulticast
    datetime duration offset durationSince toDate toTime toMilliseconds toSeconds toMinutes toHours toDays
    """.split()  # noqa: SIM905 - a list of forty quoted words is no easier to read
)


def test_every_operator_of_the_language_is_among_what_is_compared() -> None:
    """A comparison proves nothing of an operator that no drawn policy has."""
    found: set[str] = set()
    for seed in range(100):
        chance = random.Random(seed)  # noqa: S311 - a world, not a key
        policies = PolicyWriter(drawn_schema(chance, attributes=12), chance).policies(POLICIES)
        found.update(re.findall(r"[A-Za-z_]\w*|[=!<>]=|&&|\|\||[-+*<>!]", " ".join(policies)))

    assert OPERATORS - found == set()
