"""Every failure has a type, and no failure shows a secret."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING

import httpx
import pytest

import aeterna.client
from aeterna.client import (
    Aeterna,
    AsyncAeterna,
    ClientError,
    FixedToken,
    ForbiddenError,
    NotFoundError,
    ProblemError,
    TokenFile,
    UnreadableAnswerError,
)
from aeterna.client.problem import error_of, problem_of
from aeterna.client.problem_codes import BY_CODE, KINDS
from aeterna.client.testing import problem
from aeterna.client.wire import reply_of, translated, utc_now
from fixtures.fix_runtime import GRAPH_URL, SECRET, THREADS_URL

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.client.testing import FakeRuntime
    from aeterna.contracts.errors import AeternaError

SERVICES = (
    "aeterna.service.problem",
    "aeterna.api.api.problem",
    "aeterna.threads.api.problem",
    "aeterna.policies.api.problem",
)


def transport_errors(kind: type[httpx.TransportError] = httpx.TransportError) -> list[type[httpx.TransportError]]:
    below = [found for child in kind.__subclasses__() for found in transport_errors(child)]
    return [kind, *below]


@pytest.mark.parametrize("kind", transport_errors())
def test_every_failure_of_the_transport_becomes_ours(kind: type[httpx.TransportError]) -> None:
    """Fails when httpx grows an exception that is not translated."""
    request = httpx.Request("GET", "http://x/path?secret=1")

    with pytest.raises(ClientError) as raised, translated(request):
        raise kind("broken")

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("module", SERVICES)
def test_every_problem_that_a_service_answers_has_a_class(module: str) -> None:
    """A status of 500 is a defect, not a case that callers tell apart."""
    statuses: dict[type[AeternaError], int] = importlib.import_module(module).STATUSES

    codes = {error.code for error, status in statuses.items() if status != 500}

    assert {code for code in codes if code not in BY_CODE and not code.endswith(".error")} == set()


def test_every_class_is_found_by_its_code() -> None:
    assert len(BY_CODE) == len(KINDS)


@pytest.mark.parametrize(("status", "kind"), [(404, NotFoundError), (403, ForbiddenError), (418, ProblemError)])
def test_an_unknown_code_keeps_its_facts(status: int, kind: type[ProblemError]) -> None:
    """A service may be newer than this client."""
    error = error_of(problem_of(reply_of(problem(status, "memory.forgotten", "it decayed")), utc_now()))

    assert type(error) is kind
    assert (error.problem.code, error.problem.detail) == ("memory.forgotten", "it decayed")


def test_each_wrong_part_of_a_request_is_told() -> None:
    """The detail only counts them."""
    parts = [{"pointer": "/query/limit", "problem": "is too large"}, {"pointer": "", "problem": "is unclear"}, "what"]
    facts = {"code": "request.invalid", "detail": "2 parts are wrong", "errors": parts}
    answer = httpx.Response(422, json=facts, headers={"content-type": "application/problem+json"})

    error = error_of(problem_of(reply_of(answer), utc_now()))

    assert str(error) == "/query/limit: is too large; the request: is unclear [422 request.invalid]"


def test_a_proxys_page_is_an_error_with_a_status() -> None:
    page = httpx.Response(502, html="<h1>Bad gateway</h1>")

    error = error_of(problem_of(reply_of(page), utc_now()))

    assert (error.problem.code, error.problem.title) == ("http.502", "Bad Gateway")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": 1, "kind": "x"}', b"\xff"])
def test_an_answer_of_another_shape_is_an_error_that_names_the_field(
    aeterna: Aeterna, fake: FakeRuntime, body: bytes
) -> None:
    fake.failures.append(httpx.Response(200, content=body))

    with pytest.raises(UnreadableAnswerError, match="node"):
        aeterna.graph.node("a")


def test_the_token_is_never_shown(aeterna: Aeterna, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(SECRET)
    file = TokenFile(path)
    file.token()
    client = AsyncAeterna(graph_url=GRAPH_URL, threads_url=THREADS_URL, token=SECRET)
    shown = [repr(thing) for thing in (aeterna, client, FixedToken(SECRET), file, aeterna.graph, aeterna.threads)]

    assert SECRET not in "".join(shown)


def test_a_token_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """Projected tokens are replaced while the process runs."""
    path = tmp_path / "token"
    path.write_text("first\n")
    source = TokenFile(path)
    first = source.token()
    path.unlink()
    path.write_text("second, longer\n".replace(", ", "-"))

    assert (first, source.token()) == ("first", "second-longer")


def test_every_public_name_exists_and_every_error_is_public() -> None:
    errors = {
        name
        for module in pkgutil.iter_modules(aeterna.client.__path__)
        for name, value in inspect.getmembers(importlib.import_module(f"aeterna.client.{module.name}"), inspect.isclass)
        if issubclass(value, ClientError)
    }

    assert set(aeterna.client.__all__) == {name for name in aeterna.client.__all__ if hasattr(aeterna.client, name)}
    assert errors <= set(aeterna.client.__all__)
