"""What every analyser of policies does, the fake as well as the one that is shipped."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.policies.adapters.analyser import make_analyser
from aeterna.policies.domain.findings import Kind
from aeterna.policies.testing import FakeAnalyser
from fixtures.policy_bundles import bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.policies.ports import Analyser

CLEAN = bundle('@id("clean") permit (principal, action == Action::"view", resource);')
# The fake goes by the word, the real one by what the policies say.
OPPOSED = bundle(
    '@id("opposing") permit (principal, action == Action::"view", resource);',
    '@id("f") forbid (principal, action == Action::"view", resource) when { resource.secret };',
)


@pytest.fixture(params=[FakeAnalyser, make_analyser], ids=["fake", "smt"])
def analyser(request: pytest.FixtureRequest) -> Analyser:
    make: Callable[[], Analyser] = request.param
    return make()


def test_a_clean_bundle_is_not_refused_and_says_what_was_looked_at(analyser: Analyser) -> None:
    report = analyser.analyse(CLEAN)

    assert (report.refused, report.findings, report.policies, report.digest) == (False, (), 1, CLEAN.digest())


def test_a_permit_that_opposes_a_forbid_refuses_the_bundle_at_its_place(analyser: Analyser) -> None:
    report = analyser.analyse(OPPOSED)

    assert report.refused
    assert [(found.kind, found.place.file, found.place.line) for found in report.findings] == [
        (Kind.OPPOSING, "all.cedar", 1)
    ]


def test_the_same_bundle_has_the_same_report(analyser: Analyser) -> None:
    assert analyser.analyse(OPPOSED) == analyser.analyse(OPPOSED)


def test_a_report_comes_through_a_pipe_to_another_process(analyser: Analyser) -> None:
    report = analyser.analyse(OPPOSED)

    assert pickle.loads(pickle.dumps(report)) == report  # noqa: S301 - our own bytes, as the child's pipe carries them


def test_progress_never_goes_beyond_the_end(analyser: Analyser) -> None:
    told: list[tuple[int, int]] = []

    analyser.analyse(OPPOSED, progress=lambda done, of: told.append((done, of)))

    assert all(0 <= done <= of for done, of in told)


def test_a_bundle_is_no_different_from_itself(analyser: Analyser) -> None:
    assert analyser.compare(CLEAN, CLEAN) == ()


def test_an_analysis_that_runs_out_of_time_says_what_is_open_instead_of_calling_it_clean() -> None:
    """The service gives an analyser less time than it waits, so that what is open is told, and can be accepted."""
    report = make_analyser(timedelta(0)).analyse(OPPOSED)

    assert report.undecided
    assert Kind.UNDECIDED in {found.kind for found in report.findings}
