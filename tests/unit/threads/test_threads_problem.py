"""Every error of the thread store has a status, chosen and not inherited by accident."""

from __future__ import annotations

from aeterna.service.problem import problem_of, without_status
from aeterna.threads import errors
from aeterna.threads.api.problem import STATUSES
from fixtures.workspace import ROOT


def test_every_error_has_a_status() -> None:
    assert without_status("aeterna.threads", STATUSES) == set()


def test_what_passes_says_when_to_come_back() -> None:
    """A 503 without Retry-After makes clients guess, and they guess too soon."""
    passing = [errors.StoreBusyError(), errors.StoreUnavailableError(), errors.StreamsExhaustedError(1)]

    assert [problem_of(error, STATUSES).headers.get("Retry-After") for error in passing] == ["1", "1", "1"]


def test_a_conflict_tells_where_the_thread_ends() -> None:
    problem = problem_of(errors.SequenceConflictError(3, 7), STATUSES)

    assert (problem.status, problem.facts) == (409, {"expected_seq": 3, "last_seq": 7})


def test_a_defect_says_nothing_of_the_statement() -> None:
    assert "SQLSTATE 42601" in problem_of(errors.StoreDefectError("42601"), STATUSES).detail


def test_every_code_that_a_caller_can_meet_is_in_a_guide() -> None:
    """Of the thread store there are several; how to log in is told for every service at once."""
    folder = ROOT / "docs" / "guide"
    guides = "".join(page.read_text("utf-8") for page in (*folder.glob("threads*.md"), folder / "postgres-logins.md"))

    assert [error.code for error in STATUSES if not error.__subclasses__() and f"`{error.code}`" not in guides] == []
