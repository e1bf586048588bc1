"""The middleware: what is permitted reaches the application, and nothing else does."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.enforcement import DecisionUnavailableError, Enforcement
from aeterna.enforcement.testing import FakeEvaluator
from fixtures.scripted_point import question

if TYPE_CHECKING:
    from aeterna.enforcement import Question
    from aeterna.enforcement.asgi import Message, QuestionOf, Receive, Scope, Send
    from aeterna.enforcement.ports import Evaluator

pytestmark = pytest.mark.anyio


class Application:
    """An ASGI application that notes whom it served."""

    def __init__(self) -> None:
        self.served: list[str] = []

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.served.append(scope.get("path", scope["type"]))
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"served"})


async def asked(
    evaluator: Evaluator,
    path: str = "/graph",
    *,
    question_of: QuestionOf = lambda _scope: question(),
    method: str = "GET",
) -> tuple[httpx.Response, Application]:
    """Return what a request is answered, and the application that may have served it."""
    application = Application()
    guarded = Enforcement(application, evaluator, question_of=question_of, excluded={"/live"})
    transport = httpx.ASGITransport(guarded)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.request(method, path), application


async def test_what_is_permitted_is_served() -> None:
    answer, application = await asked(FakeEvaluator())

    assert (answer.text, application.served) == ("served", ["/graph"])


async def test_a_deny_is_403_and_a_problem_document() -> None:
    answer, application = await asked(FakeEvaluator(allow=False))

    assert (answer.status_code, application.served) == (403, [])
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:aeterna:problem:policy.denied",
        "title": "The policy does not let this caller do this.",
        "status": 403,
        "detail": "graph.read on Graph 'main' is not permitted to this caller",
        "instance": "/graph",
        "code": "policy.denied",
    }


async def test_no_decision_is_503_and_a_problem_document() -> None:
    answer, application = await asked(FakeEvaluator(available=False))

    assert (answer.status_code, application.served) == (503, [])
    assert (answer.json()["code"], answer.headers["content-type"]) == ("policy.unavailable", "application/problem+json")


async def test_a_request_that_nothing_can_be_asked_about_is_denied() -> None:
    evaluator = FakeEvaluator()

    answer, application = await asked(evaluator, question_of=lambda _scope: None)

    assert (answer.status_code, application.served, evaluator.asked) == (403, [], [])


async def test_the_question_may_be_awaited() -> None:
    async def later(_scope: Scope) -> Question:
        return question("graph.write")

    evaluator = FakeEvaluator(allow=lambda one: one.action == "graph.write")

    answer, _ = await asked(evaluator, question_of=later)

    assert answer.status_code == 200


class Failing:
    """An evaluator, or a maker of questions, with a mistake in it."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def evaluation(self, _question: Question) -> object:
        raise self.error

    async def evaluations(self, _questions: object) -> object:
        raise self.error

    def __call__(self, _scope: Scope) -> Question:
        raise self.error


class Lying:
    """An evaluator whose decisions are true, and no decisions."""

    async def evaluation(self, _question: Question) -> object:
        return SimpleNamespace(allowed="yes")

    async def evaluations(self, _questions: object) -> object:
        return [SimpleNamespace(allowed="yes")]


@pytest.mark.parametrize(
    "error", [KeyError("sub"), ValueError("s3cret"), RecursionError(), DecisionUnavailableError("x")]
)
@pytest.mark.parametrize("where", ["evaluator", "question_of"])
async def test_whatever_fails_lets_nothing_pass_and_tells_nothing(error: Exception, where: str) -> None:
    if where == "evaluator":
        answer, application = await asked(Failing(error))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    else:
        answer, application = await asked(FakeEvaluator(), question_of=Failing(error))

    assert (answer.status_code, application.served) == (503, [])
    assert "s3cret" not in answer.text


async def test_only_true_is_a_permit() -> None:
    answer, application = await asked(Lying())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    assert (answer.status_code, application.served) == (403, [])


async def test_what_is_no_question_lets_nothing_pass() -> None:
    answer, application = await asked(FakeEvaluator(), question_of=lambda _scope: "graph.read")  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]

    assert (answer.status_code, application.served) == (503, [])


async def test_an_excluded_path_is_not_asked_about() -> None:
    answer, application = await asked(FakeEvaluator(available=False), "/live")

    assert (answer.status_code, application.served) == (200, ["/live"])


async def test_an_answer_to_head_has_no_body() -> None:
    answer, _ = await asked(FakeEvaluator(allow=False), method="HEAD")

    assert (answer.status_code, answer.content) == (403, b"")


async def connected(scope: Scope, evaluator: Evaluator) -> tuple[list[Message], Application]:
    """Return what was sent on a connection that is no request."""
    application = Application()
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": f"{scope['type']}.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await Enforcement(application, evaluator, question_of=lambda _scope: question(), excluded={"/live"})(
        scope, receive, send
    )
    return sent, application


@pytest.mark.parametrize("path", ["/graph", "/live"])
@pytest.mark.parametrize("evaluator", [FakeEvaluator(allow=False), FakeEvaluator(available=False)])
async def test_a_websocket_is_refused_before_it_is_accepted(evaluator: FakeEvaluator, path: str) -> None:
    sent, application = await connected({"type": "websocket", "path": path, "headers": []}, evaluator)

    assert (sent, application.served) == ([{"type": "websocket.close", "code": 1008}], [])


async def test_a_websocket_that_is_permitted_is_served() -> None:
    _, application = await connected({"type": "websocket", "path": "/graph", "headers": []}, FakeEvaluator())

    assert application.served == ["/graph"]


async def test_the_lifespan_passes() -> None:
    _, application = await connected({"type": "lifespan"}, FakeEvaluator(available=False))

    assert application.served == ["lifespan"]


async def test_a_kind_of_connection_that_nobody_knows_does_not_pass() -> None:
    with pytest.raises(DecisionUnavailableError):
        await connected({"type": "webtransport", "path": "/live"}, FakeEvaluator())


async def test_a_path_that_cannot_be_encoded_is_refused_all_the_same() -> None:
    scope: Scope = {"type": "http", "path": "/\ud800", "method": "GET", "headers": []}

    sent, _ = await connected(scope, FakeEvaluator(allow=False))

    assert json.loads(sent[1]["body"])["instance"] == "/\ud800"
