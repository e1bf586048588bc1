"""Who is not the owner sees, changes and takes over nothing, by any method on any binding."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
from a2a.types import GetTaskRequest
from a2a.types.a2a_pb2_grpc import A2AServiceStub

from aeterna.a2a.api.gate import Gate
from aeterna.a2a.errors import ForeignTenantError
from aeterna.service.adapters.jwt import JwksTokenVerifier
from aeterna.service.errors import AuthenticationError, TenantMissingError
from aeterna.service.testing import FakeDecisionPoint, SigningKey
from fixtures.a2a_raw import METHODS, call, read_grpc
from fixtures.a2a_served import as_, sent

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.a2a_served import Binding, Served

pytestmark = pytest.mark.anyio

_HOOK = "https://example.com/hook"


def _message(**more: object) -> dict[str, Any]:
    return {"message": {"messageId": "m-x", "role": "ROLE_USER", "parts": [{"text": "go"}], **more}}


def _aimed(method: str, task: str) -> dict[str, Any]:
    """Return parameters of the method that aim at a task."""
    match method:
        case "SendMessage" | "SendStreamingMessage":
            return _message(taskId=task)
        case "ListTasks" | "GetExtendedAgentCard":
            return {}
        case "GetTask" | "CancelTask" | "SubscribeToTask":
            return {"id": task}
        case "ListTaskPushNotificationConfigs":
            return {"taskId": task}
        case "CreateTaskPushNotificationConfig":
            return {"taskId": task, "id": "p-1", "url": _HOOK}
        case _:
            return {"taskId": task, "id": "p-1"}


_AIMED = [method for method in METHODS if method not in {"ListTasks", "GetExtendedAgentCard"}]

_OF_PUSH = [method for method in METHODS if "PushNotificationConfig" in method]


@pytest.fixture
async def task(agent: Served) -> str:
    """Return a task of ada's that waits for input."""
    return (await agent.transports["jsonrpc"].send_message(sent("ask", "m-1"), context=as_("ada"))).task.id


@pytest.mark.parametrize("method", _AIMED)
async def test_another_owners_task_looks_like_one_that_is_not_there(
    agent: Served, binding: Binding, task: str, method: str
) -> None:
    before = agent.log.kept[task].task

    theirs = await call(agent, binding, method, _aimed(method, task), agent.raw("bob"))
    nobodys = await call(agent, binding, method, _aimed(method, "no-such-task"), agent.raw("bob"))

    assert theirs.outcome in {"-32001", "404", "NOT_FOUND"}
    assert (theirs.outcome, theirs.reason) == (nobodys.outcome, nobodys.reason)
    assert agent.log.kept[task].task == before


@pytest.mark.parametrize("method", METHODS)
async def test_a_caller_of_another_tenant_is_refused_before_anything(
    agent: Served, binding: Binding, task: str, method: str
) -> None:
    """Its subject is the owner's, and so is the id."""
    asked = len(agent.decisions.asked)

    answer = await call(agent, binding, method, _aimed(method, task), agent.raw("eve"))

    assert answer.outcome in {"403", "PERMISSION_DENIED"}
    assert len(agent.decisions.asked) == asked


@pytest.mark.parametrize("method", METHODS)
async def test_without_a_token_no_method_answers(agent: Served, binding: Binding, task: str, method: str) -> None:
    answer = await call(agent, binding, method, _aimed(method, task), agent.raw(None))

    assert answer.outcome in {"401", "UNAUTHENTICATED"}


@pytest.mark.parametrize("method", METHODS)
async def test_every_method_asks_the_policy_and_heeds_its_no(
    agent: Served, binding: Binding, task: str, method: str
) -> None:
    before = agent.log.kept[task].task
    agent.permission.given = False

    answer = await call(agent, binding, method, _aimed(method, task), agent.raw())

    assert answer.outcome in {"403", "PERMISSION_DENIED"}
    assert agent.log.kept[task].task == before


@pytest.mark.parametrize("method", METHODS)
async def test_the_policy_is_asked_for_what_is_done_to_which_task(
    agent: Served, binding: Binding, task: str, method: str
) -> None:
    agent.decisions.asked.clear()

    # A subscription that goes on after the end of the log is refused, where another would wait for what comes.
    await call(agent, binding, method, _aimed(method, task), agent.raw(**{"Last-Event-ID": "999"}))

    caller, action, resource = agent.decisions.asked[0]
    writes = {"SendMessage", "SendStreamingMessage", "CancelTask"}
    changes = method in writes or method.startswith(("Create", "Delete"))
    assert action == ("threads.write" if changes else "threads.read")
    assert (caller.subject, resource.type, resource.tenant) == ("ada", "Thread", "acme")
    assert resource.id == (task if method in _AIMED else "*")


async def test_anothers_task_cannot_be_taken_over_by_sending_its_message_again(agent: Served, binding: Binding) -> None:
    """Task ids are derived from message ids: the same id from somebody else must not lead to the same task."""
    mine = await call(agent, binding, "SendMessage", _message(), agent.raw("ada"))

    theirs = await call(agent, binding, "SendMessage", _message(), agent.raw("bob"))

    owners = {kept.task.owner for kept in agent.log.kept.values()}
    assert mine.outcome == theirs.outcome == "ok"
    assert owners == {"ada", "bob"}
    assert len(agent.log.kept) == 2


async def test_a_listing_shows_only_the_callers_own(agent: Served, binding: Binding, task: str) -> None:
    theirs = await call(agent, binding, "ListTasks", {}, agent.raw("bob"))

    assert task not in theirs.text
    assert theirs.results[0].get("totalSize", 0) == 0


@pytest.mark.parametrize("context", ["mine", "../mine", "MINE"])
async def test_a_context_of_anothers_shows_nothing_of_theirs(agent: Served, binding: Binding, context: str) -> None:
    await agent.transports["jsonrpc"].send_message(sent("go", "m-1", context_id="mine"), context=as_("ada"))

    theirs = await call(agent, binding, "ListTasks", {"contextId": context}, agent.raw("bob"))

    assert not theirs.results or not theirs.results[0].get("tasks")


async def test_last_event_id_opens_nobody_elses_log(agent: Served, binding: Binding, task: str) -> None:
    answer = await call(agent, binding, "SubscribeToTask", {"id": task}, agent.raw("bob", **{"Last-Event-ID": "0"}))

    assert answer.outcome in {"-32001", "404", "NOT_FOUND"}


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Aeterna-Tenant": "acme", "X-Forwarded-User": "ada"},
        {"X-User": "ada", "A2A-Extensions": "urn:aeterna:owner=ada"},
        {"Aeterna-Owner": "ada", "Forwarded": "for=ada"},
    ],
    ids=["forwarded", "extension", "owner"],
)
async def test_no_header_says_who_is_calling(
    agent: Served, binding: Binding, task: str, headers: dict[str, str]
) -> None:
    answer = await call(agent, binding, "GetTask", {"id": task}, agent.raw("bob", **headers))

    assert answer.outcome in {"-32001", "404", "NOT_FOUND"}


@pytest.mark.parametrize("scheme", ["Basic ada", "bearer", "Bearer ", "ada", "Bearer  ", "Bearer ada, Bearer bob"])
async def test_what_is_no_single_bearer_token_is_none(agent: Served, binding: Binding, task: str, scheme: str) -> None:
    answer = await call(agent, binding, "GetTask", {"id": task}, agent.raw(None, Authorization=scheme.strip()))

    assert answer.outcome in {"401", "UNAUTHENTICATED"}


async def test_two_authorizations_are_none(agent: Served, task: str) -> None:
    """Whichever of two a proxy looked at, it may not have been the one that we would take."""
    twice = [("Authorization", "Bearer bob"), ("Authorization", "Bearer ada"), ("A2A-Version", "1.0")]

    over_http = await agent.http.get(f"/tasks/{task}", headers=twice)
    async with grpc.aio.insecure_channel(agent.grpc_address) as channel:
        stub: Any = A2AServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetTask(
                GetTaskRequest(id=task), metadata=[(name.lower(), value) for name, value in twice], timeout=20
            )

    assert over_http.status_code == 401
    assert read_grpc(caught.value).outcome == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "path",
    ["/evil/tasks/{task}", "/evil/message:send", "/evil/tasks/{task}:cancel", "/EVIL/tasks", "/%65vil/tasks"],
)
async def test_a_path_of_another_tenant_is_refused(agent: Served, task: str, path: str) -> None:
    """The tenant in a path is a claim; the token's is the proof."""
    verb = "POST" if ":" in path.replace("{task}", "") else "GET"

    response = await agent.http.request(
        verb, path.replace("{task}", task), headers=agent.raw(), json=_message() if verb == "POST" else None
    )

    assert response.status_code == 403


async def test_a_path_of_the_own_tenant_is_the_same_as_none(agent: Served, task: str) -> None:
    response = await agent.http.get(f"/acme/tasks/{task}", headers=agent.raw())

    assert response.json()["id"] == task


@pytest.mark.parametrize("where", ["message", "push"])
async def test_a_tenant_in_the_body_is_refused_unless_it_is_the_own(
    agent: Served, binding: Binding, where: str
) -> None:
    params = _message()
    if where == "message":
        params["tenant"] = "evil"
    else:
        params["configuration"] = {"taskPushNotificationConfig": {"tenant": "evil", "id": "p", "url": _HOOK}}

    answer = await call(agent, binding, "SendMessage", params, agent.raw())

    assert answer.outcome in {"403", "PERMISSION_DENIED"}
    assert agent.log.kept == {}


@pytest.mark.parametrize(
    ("claims", "without", "error"),
    [
        ({"aud": "another"}, (), AuthenticationError),
        ({"exp": 1}, (), AuthenticationError),
        ({"iss": "urn:another"}, (), AuthenticationError),
        ({}, ("tenant",), TenantMissingError),
        ({"tenant": "evil"}, (), ForeignTenantError),
        ({"tenant": "Acme"}, (), TenantMissingError),
    ],
    ids=["audience", "expired", "issuer", "no tenant", "other tenant", "no tenant's name"],
)
async def test_a_real_token_lets_in_only_who_it_proves(
    tmp_path: Path, claims: dict[str, Any], without: tuple[str, ...], error: type[Exception]
) -> None:
    key = SigningKey()
    jwks = key.write_jwks(tmp_path / "jwks.json")
    gate = Gate(JwksTokenVerifier(str(jwks), issuer=key.issuer, audience="aeterna"), FakeDecisionPoint(), tenant="acme")
    token = key.token(now=time.time(), without=without, **claims)

    with pytest.raises(error):
        await gate.prove([f"Bearer {token}"])

    assert (await gate.prove([f"Bearer {key.token()}"])).subject == "ada"


@pytest.mark.parametrize("name", [".", "..", "a/../b", "%2e%2e", "a?owner=bob", "a#b"])
@pytest.mark.parametrize("method", _OF_PUSH)
async def test_an_id_that_would_lead_elsewhere_as_part_of_a_path_is_refused(
    agent: Served, task: str, method: str, name: str
) -> None:
    """The kit calls the thread store by paths with such ids, and its client takes dots out of a path."""
    of_task = await call(agent, "grpc", method, _aimed(method, name), agent.raw())
    aimed = _aimed(method, task)
    of_config = await call(agent, "grpc", method, aimed | {"id": name} if "id" in aimed else aimed, agent.raw())

    assert of_task.outcome == "NOT_FOUND"
    assert of_config.outcome == ("INVALID_ARGUMENT" if "id" in aimed else "ok")


@pytest.mark.parametrize("name", [".", "..", "a/../b"])
async def test_a_configuration_that_cannot_be_kept_is_refused_before_its_message_is(
    agent: Served, binding: Binding, name: str
) -> None:
    params = _message(messageId="m-2")
    params["configuration"] = {"taskPushNotificationConfig": {"id": name, "url": _HOOK}}

    answer = await call(agent, binding, "SendMessage", params, agent.raw())

    assert answer.outcome in {"-32602", "400", "INVALID_ARGUMENT"}
    assert agent.log.kept == {}
