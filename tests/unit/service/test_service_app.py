"""What every service on the chassis answers, whatever it is for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from aeterna.service.errors import DecisionUnavailableError, PermissionDeniedError, ServiceError
from aeterna.service.problem import STATUSES, problem_of, status_of, without_status
from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_service import client_of, shelf

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from aeterna.service.adapters.jwt import JwksTokenVerifier

pytestmark = pytest.mark.anyio

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "trace_id"}
BOOK = "/api/v1/books/emma"


async def test_a_permitted_caller_is_served_as_its_tenant(
    verifier: JwksTokenVerifier, decisions: FakeDecisionPoint, bearer: dict[str, str]
) -> None:
    async with client_of(shelf(verifier, decisions)) as client:
        answer = await client.post(BOOK, json={"pages": 400}, headers=bearer)

    assert (answer.status_code, answer.json()["tenant"]) == (201, "acme")
    assert [(caller.subject, action, resource.id) for caller, action, resource in decisions.asked] == [
        ("ada", "graph.write", "main")
    ]


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """Gather the log lines instead of printing them."""
    with capture_logs() as lines:
        yield lines


JSON = {"content-type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A request that is refused, and how."""

    name: str
    method: str = "POST"
    path: str = BOOK
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    signed: bool = True
    status: int
    code: str


REFUSALS = [
    Refusal(name="no token", body=b'{"pages": 1}', headers=JSON, signed=False, status=401, code="token.missing"),
    Refusal(name="a wrong body", body=b'{"pages": "many"}', headers=JSON, status=422, code="request.invalid"),
    Refusal(name="no body", status=422, code="request.invalid"),
    Refusal(name="a body that is not JSON", body=b"{", headers=JSON, status=400, code="request.malformed"),
    Refusal(name="a number without end", body=b"9" * 5_000, headers=JSON, status=400, code="request.malformed"),
    Refusal(name="brackets without end", body=b"[" * 5_000, headers=JSON, status=400, code="request.malformed"),
    Refusal(name="a body that is not text", body=b"\xff\xfe{", headers=JSON, status=400, code="request.malformed"),
    Refusal(name="a body of another type", body=b"pages=1", status=422, code="request.invalid"),
    Refusal(name="a body that is too large", body=b"x" * 1_048_577, status=413, code="request.too_large"),
    Refusal(name="an unknown path", path="/nowhere", status=404, code="http.not_found"),
    Refusal(name="a slash too many", path=f"{BOOK}/", body=b'{"pages": 1}', status=404, code="http.not_found"),
    Refusal(name="another method", method="DELETE", status=405, code="http.method_not_allowed"),
    Refusal(name="an error of the service", method="GET", path="/api/v1/full", status=429, code="shelf.full"),
    Refusal(name="an error nobody foresaw", method="GET", path="/api/v1/broken", status=500, code="service.unexpected"),
]


@pytest.mark.parametrize("row", REFUSALS, ids=[row.name for row in REFUSALS])
async def test_a_refusal_is_a_problem_document(
    row: Refusal, verifier: JwksTokenVerifier, bearer: dict[str, str]
) -> None:
    headers = (bearer if row.signed else {}) | row.headers
    async with client_of(shelf(verifier, FakeDecisionPoint())) as client:
        answer = await client.request(row.method, row.path, content=row.body, headers=headers)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (row.status, row.code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) >= MEMBERS
    assert problem["type"] == f"urn:aeterna:problem:{row.code}"
    assert problem["instance"] == row.path
    assert problem["trace_id"] == answer.headers["aeterna-trace-id"]


async def test_a_body_that_is_not_announced_as_json_is_told_how(
    verifier: JwksTokenVerifier, bearer: dict[str, str]
) -> None:
    """What curl's -d sends is announced as a form."""
    headers = bearer | {"Content-Type": "application/x-www-form-urlencoded"}
    async with client_of(shelf(verifier, FakeDecisionPoint())) as client:
        answer = await client.post(BOOK, content=b'{"pages": 1}', headers=headers)

    told = "send it with the header 'Content-Type: application/json'"
    assert answer.json()["errors"] == [{"pointer": "/body", "problem": told}]


async def test_a_deny_is_403_and_nothing_is_done(verifier: JwksTokenVerifier, bearer: dict[str, str]) -> None:
    async with client_of(shelf(verifier, FakeDecisionPoint(allow=False))) as client:
        answer = await client.post(BOOK, json={"pages": 1}, headers=bearer)

    assert (answer.status_code, answer.json()["code"]) == (403, "policy.denied")


async def test_a_decision_point_that_is_away_permits_nothing(
    verifier: JwksTokenVerifier, bearer: dict[str, str]
) -> None:
    async with client_of(shelf(verifier, FakeDecisionPoint(available=False))) as client:
        answer = await client.post(BOOK, json={"pages": 1}, headers=bearer)

    assert (answer.status_code, answer.json()["code"]) == (503, "policy.unavailable")


async def test_two_tokens_are_no_token(verifier: JwksTokenVerifier, bearer: dict[str, str]) -> None:
    """A proxy might look at the first and we at the second."""
    headers = [("Authorization", bearer["Authorization"]), ("Authorization", bearer["Authorization"])]
    async with client_of(shelf(verifier, FakeDecisionPoint())) as client:
        answer = await client.post(BOOK, json={"pages": 1}, headers=headers)

    assert answer.status_code == 401


@pytest.mark.parametrize(("scheme", "challenge"), [("Basic", "Bearer"), ("Bearer", 'Bearer error="invalid_token"')])
async def test_a_401_says_what_would_help(verifier: JwksTokenVerifier, scheme: str, challenge: str) -> None:
    async with client_of(shelf(verifier, FakeDecisionPoint())) as client:
        answer = await client.post(BOOK, json={"pages": 1}, headers={"Authorization": f"{scheme} nonsense"})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge)


async def test_a_hanging_route_is_cut_off(verifier: JwksTokenVerifier) -> None:
    async with client_of(shelf(verifier, FakeDecisionPoint(), request_timeout=0.02)) as client:
        answer = await client.get("/api/v1/hanging")

    assert (answer.status_code, answer.json()["code"]) == (503, "service.timeout")


async def test_a_wrong_body_is_pointed_at_and_not_repeated(verifier: JwksTokenVerifier, bearer: dict[str, str]) -> None:
    async with client_of(shelf(verifier, FakeDecisionPoint())) as client:
        answer = await client.post(BOOK, json={"pages": "canary-value"}, headers=bearer)

    assert [error["pointer"] for error in answer.json()["errors"]] == ["/body/pages"]
    assert "canary-value" not in answer.text


async def test_a_refusal_says_when_to_come_back_and_gives_facts(verifier: JwksTokenVerifier) -> None:
    async with client_of(shelf(verifier, FakeDecisionPoint())) as client:
        answer = await client.get("/api/v1/full")

    assert (answer.headers["retry-after"], answer.json()["room"]) == ("2", 0)
    assert answer.json()["title"] == "The shelf has no room for another book."


async def test_the_callers_trace_goes_on(verifier: JwksTokenVerifier) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with client_of(shelf(verifier, FakeDecisionPoint())) as client:
        answer = await client.get("/nowhere", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})

    assert answer.json()["trace_id"] == trace_id


@pytest.mark.parametrize(
    "traceparent", ["", "00-0-0-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff-{'a' * 32}-00f067aa0ba902b7-01", "\x7f"]
)
async def test_a_trace_that_is_none_is_replaced(traceparent: str, verifier: JwksTokenVerifier) -> None:
    async with client_of(shelf(verifier, FakeDecisionPoint())) as client:
        answer = await client.get("/nowhere", headers={"traceparent": traceparent})

    assert re.fullmatch("[0-9a-f]{32}", answer.json()["trace_id"])
    assert answer.json()["trace_id"] not in {"0" * 32, "a" * 32}


async def test_metrics_have_one_label_per_route_and_not_per_path(
    verifier: JwksTokenVerifier, bearer: dict[str, str]
) -> None:
    async with client_of(shelf(verifier, FakeDecisionPoint())) as client:
        for number in range(20):
            await client.post(f"/api/v1/books/book-{number}", json={"pages": 1}, headers=bearer)
            await client.get(f"/nowhere/{number}")
            await client.request(f"X{number}", "/nowhere")
        metrics = (await client.get("/metrics")).text

    routes = set(re.findall(r"aeterna_http_request_duration_seconds_count\{(.*)\} ", metrics))
    assert routes == {
        'method="POST",route="/api/v1/books/{title}",status="201"',
        'method="GET",route="unmatched",status="404"',
        'method="other",route="unmatched",status="404"',
    }


async def test_other_origins_are_not_served_unless_they_are_named(verifier: JwksTokenVerifier) -> None:
    preflight = {"Origin": "https://console.example", "Access-Control-Request-Method": "POST"}
    closed = shelf(verifier, FakeDecisionPoint())
    opened = shelf(verifier, FakeDecisionPoint(), cors_origins=("https://console.example",))

    async with client_of(closed) as strict, client_of(opened) as open_:
        refused, served = await strict.options(BOOK, headers=preflight), await open_.options(BOOK, headers=preflight)

    assert "access-control-allow-origin" not in refused.headers
    assert served.headers["access-control-allow-origin"] == "https://console.example"


async def test_a_named_origin_may_use_every_method_and_header_of_the_routes_and_read_what_they_answer(
    verifier: JwksTokenVerifier,
) -> None:
    """A header that is missing here is one that no browser sends, or shows."""
    asked = ["authorization", "aeterna-seq", "aeterna-snapshot", "a2a-version", "last-event-id", "traceparent"]
    preflight = {
        "Origin": "https://console.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": ", ".join(asked),
    }
    app = shelf(verifier, FakeDecisionPoint(), cors_origins=("https://console.example",))

    async with client_of(app) as client:
        allowed = await client.options(BOOK, headers=preflight)
        answer = await client.get(BOOK, headers={"Origin": "https://console.example"})

    assert allowed.status_code == 200
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    shown = answer.headers["access-control-expose-headers"].lower().split(", ")
    assert {"aeterna-seq", "aeterna-snapshot", "aeterna-trace-id", "retry-after"} <= set(shown)


async def test_the_openapi_document_tells_of_tokens_and_problems(verifier: JwksTokenVerifier) -> None:
    async with client_of(shelf(verifier, FakeDecisionPoint())) as client:
        document = (await client.get("/openapi.json")).json()

    operation = document["paths"]["/api/v1/books/{title}"]["post"]
    assert operation["security"] == [{"HTTPBearer": []}]
    assert set(operation["responses"]) == {"201", "4XX", "5XX"}
    assert "application/problem+json" in operation["responses"]["4XX"]["content"]


def test_every_error_of_the_chassis_has_a_status() -> None:
    assert without_status("aeterna.service", {}) == set()


def test_an_error_without_a_status_is_found() -> None:
    class ForgottenError(ServiceError):
        """Nobody thought of it."""

    ForgottenError.__module__ = "aeterna.forgetful.errors"

    assert without_status("aeterna.forgetful", {}) == {ForgottenError}
    assert status_of(ForgottenError, {}) == 500


def test_a_services_own_table_comes_first() -> None:
    assert status_of(DecisionUnavailableError, {DecisionUnavailableError: 502}) == 502
    assert STATUSES[DecisionUnavailableError] == 503


def test_a_problem_with_text_that_is_no_unicode_can_still_be_sent() -> None:
    problem = problem_of(PermissionDeniedError("graph.read", "Graph '\ud800'"), {})

    assert json.loads(problem.body("/x"))["code"] == "policy.denied"
