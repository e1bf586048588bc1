"""What is asked again after a change, and what is told when a question has no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.policies.adapters.analyser import SmtAnalyser
from aeterna.policies.adapters.checking import CedarChecker
from aeterna.policies.adapters.memo_file import MemoFile, edition
from aeterna.policies.adapters.smt.solver import Z3Solvers
from aeterna.policies.adapters.witness import CedarWitnesses
from aeterna.policies.domain.findings import Kind
from aeterna.policies.domain.memo import Memos
from aeterna.policies.domain.pruning import surroundings
from aeterna.policies.domain.typed.formula import policies_of
from aeterna.policies.domain.typed.schema import schema_of
from aeterna.policies.errors import UndecidedError
from aeterna.policies.usecases.analysing import Analysing
from aeterna.policies.usecases.answering import Answers, Patience
from fixtures.policy_bundles import SCHEMA, bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policies.domain.typed.formula import Environment, Example, Formula
    from aeterna.policies.domain.typed.policy import Policy
    from aeterna.policies.ports import Solver


class WatchedSolver:
    """Passes questions on, notes of which policies they were, and cannot answer those about some."""

    def __init__(self, solver: Solver, *hard: str) -> None:
        self._solver = solver
        self._hard = set(hard)
        self.asked: list[set[str]] = []

    def environments(self) -> Sequence[Environment]:
        return self._solver.environments()

    def find(self, env: Environment, wanted: Formula) -> Example | None:
        names = {policy.id for policy in policies_of(wanted)}
        self.asked.append(names)
        if names & self._hard:
            raise UndecidedError("too hard")
        return self._solver.find(env, wanted)


def analysing(solver: Solver, memos: Memos | None = None, clock: Callable[[], float] = lambda: 0.0) -> Analysing:
    known = memos or Memos()

    def answers(schema: str, policies: Sequence[Policy]) -> Answers:
        return Answers(
            solver=solver,
            witness=CedarWitnesses().of(schema, policies),
            policies=policies,
            places=surroundings(schema_of(schema)),
            memo=known.of(schema),
            patience=Patience(clock=clock, until=10.0),
        )

    return Analysing(CedarChecker(CedarCompiler()), answers)


def many(*, changed: bool = False) -> Bundle:
    view = '(principal, action == Action::"view", resource) when'
    permits = [f'@id("p{number}") permit {view} {{ principal.level == {number} }};' for number in range(8)]
    forbids = [f'@id("f{number}") forbid {view} {{ principal.level == -{number} }};' for number in range(1, 9)]
    if changed:
        permits[3] = permits[3].replace("== 3", "== 33")
    return bundle(*permits, *forbids)


def watched(*hard: str) -> WatchedSolver:
    return WatchedSolver(Z3Solvers().of(SCHEMA), *hard)


def test_the_same_bundle_is_asked_nothing_again() -> None:
    solver, memos = watched(), Memos()
    first = analysing(solver, memos).analyse(many())
    before = len(solver.asked)

    second = analysing(solver, memos).analyse(many())

    assert (second, len(solver.asked)) == (first, before)


def test_after_one_change_only_questions_of_it_are_asked() -> None:
    solver, memos = watched(), Memos()
    analysing(solver, memos).analyse(many())
    solver.asked.clear()

    analysing(solver, memos).analyse(many(changed=True))

    assert solver.asked
    assert all("p3" in names for names in solver.asked)


def test_what_is_remembered_changes_no_finding() -> None:
    memos = Memos()
    analysing(watched(), memos).analyse(many())

    remembered = analysing(watched(), memos).analyse(many(changed=True))

    from_nothing = analysing(watched()).analyse(many(changed=True))
    assert {(f.kind, f.policies) for f in remembered.findings} == {(f.kind, f.policies) for f in from_nothing.findings}


def test_pairs_are_settled_in_groups() -> None:
    """120 pairs in two environments; one question each would be hundreds."""
    solver = watched()

    analysing(solver).analyse(many())

    assert len(solver.asked) < 120


def test_a_policy_that_cannot_be_decided_is_told_once_and_the_others_are_compared() -> None:
    report = analysing(watched("p3")).analyse(many())

    assert [(f.kind, f.policies) for f in report.findings] == [(Kind.UNDECIDED, ("p3",))]
    assert (report.refused, report.undecided) == (False, True)


def test_one_hard_pair_leaves_only_itself_undecided() -> None:
    class HardPair(WatchedSolver):
        def find(self, env: Environment, wanted: Formula) -> Example | None:
            if {"p3", "f5"} <= {policy.id for policy in policies_of(wanted)}:
                raise UndecidedError("too hard together")
            return super().find(env, wanted)

    report = analysing(HardPair(Z3Solvers().of(SCHEMA))).analyse(many())

    assert [(f.kind, f.policies) for f in report.findings] == [(Kind.UNDECIDED, ("p3", "f5"))]


def test_out_of_time_nothing_is_called_clean() -> None:
    report = analysing(watched(), clock=lambda: 11.0).analyse(many())

    assert {f.kind for f in report.findings} == {Kind.UNDECIDED}
    assert len(report.findings) == report.policies


def test_pairs_that_no_time_was_left_for_are_told_once_a_policy() -> None:
    ticks = iter(range(10_000))

    # Every policy is looked at alone, which takes 16 questions, and then time is over.
    report = analysing(watched(), clock=lambda: next(ticks) * 10.0 / 17).analyse(many())

    assert {f.kind for f in report.findings} == {Kind.UNDECIDED}
    assert 1 < len(report.findings) <= report.policies


def test_a_file_remembers_for_the_next_process(tmp_path: Path) -> None:
    file = MemoFile(tmp_path / "folder" / "memo.json")
    SmtAnalyser(file=file).analyse(many())
    solver = watched()

    analysing(solver, file.load()).analyse(many())

    assert solver.asked == []


def test_what_other_code_learned_is_not_believed(tmp_path: Path) -> None:
    """It might be what that got wrong, and a finding would stay hidden for as long as the file is kept."""
    file = MemoFile(tmp_path / "memo.json")
    SmtAnalyser(file=file).analyse(many())
    (tmp_path / "memo.json").write_text((tmp_path / "memo.json").read_text().replace(edition(), "0" * 64))

    assert file.load().items() == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"memos": {}}', f'{{"edition": "{edition()}", "memos": {{"a": 1}}}}'])
def test_a_file_that_makes_no_sense_remembers_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "memo.json").write_text(text)

    assert MemoFile(tmp_path / "memo.json").load().items() == ()
