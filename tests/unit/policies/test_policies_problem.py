"""Every error of the administration has a status, chosen and not by accident, and its codes are documented."""

from __future__ import annotations

from aeterna.policies import errors
from aeterna.policies.api.problem import STATUSES
from aeterna.policies.settings import PoliciesSettings
from aeterna.service.problem import problem_of, without_status
from aeterna.service.settings import ServiceSettings
from fixtures.workspace import ROOT

GUIDE = ROOT / "docs" / "guide" / "policy-administration.md"


def test_every_error_has_a_status() -> None:
    assert without_status("aeterna.policies", STATUSES) == set()


def test_what_passes_says_when_to_come_back() -> None:
    passing = [errors.StoreBusyError(), errors.StoreUnavailableError()]

    assert [problem_of(error, STATUSES).headers.get("Retry-After") for error in passing] == ["1", "1"]


def test_a_reader_without_the_token_is_challenged() -> None:
    problem = problem_of(errors.BundleTokenError(), STATUSES)

    assert (problem.status, problem.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')


def test_every_code_that_a_caller_can_meet_is_in_the_guide() -> None:
    guide = GUIDE.read_text("utf-8")
    met = [error.code for error in STATUSES if not error.__subclasses__() and error.code.startswith("policies.")]

    assert [code for code in met if code != "policies.undecided" and f"`{code}`" not in guide] == []


def test_every_setting_is_in_the_guide() -> None:
    guide = GUIDE.read_text("utf-8")
    own = set(PoliciesSettings.model_fields) - set(ServiceSettings.model_fields)

    assert {name for name in own if f"`{name.upper()}`" not in guide} == set()
