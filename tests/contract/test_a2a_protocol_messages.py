"""Sending messages: what the protocol requires of SendMessage, alike on every binding, seen by the SDK's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from a2a.types import CancelTaskRequest, GetTaskRequest, Message, Part, Role, SendMessageConfiguration, TaskState
from a2a.utils.errors import (
    ContentTypeNotSupportedError,
    InvalidAgentResponseError,
    InvalidParamsError,
    TaskNotFoundError,
    UnsupportedOperationError,
)

from fixtures.a2a_served import as_, sent

if TYPE_CHECKING:
    from a2a.client.transports.base import ClientTransport

    from fixtures.a2a_served import Binding, Served

pytestmark = pytest.mark.anyio


@pytest.fixture
def client(agent: Served, binding: Binding) -> ClientTransport:
    """Return the SDK's client of the binding."""
    return agent.transports[binding]


async def test_a_blocking_message_is_answered_with_the_task_at_its_end(client: ClientTransport) -> None:
    answer = await client.send_message(sent("go", "m-1"), context=as_("ada"))

    assert answer.task.status.state == TaskState.TASK_STATE_COMPLETED
    assert [part.text for part in answer.task.artifacts[0].parts] == ["one ", "two ", "three"]


async def test_an_agent_that_only_replies_is_answered_with_its_message(client: ClientTransport) -> None:
    answer = await client.send_message(sent("reply", "m-1"), context=as_("ada"))

    assert answer.message.parts[0].text == "at your service"


async def test_a_message_that_is_sent_again_reaches_the_same_task_and_runs_once(
    agent: Served, client: ClientTransport
) -> None:
    first = await client.send_message(sent("go", "m-1"), context=as_("ada"))

    second = await client.send_message(sent("go", "m-1"), context=as_("ada"))

    assert second.task == first.task
    assert agent.executor.executed == ["go"]


async def test_a_message_id_that_stands_for_another_message_is_refused(client: ClientTransport) -> None:
    await client.send_message(sent("go", "m-1"), context=as_("ada"))

    with pytest.raises(InvalidParamsError):
        await client.send_message(sent("something else", "m-1"), context=as_("ada"))


async def test_return_immediately_answers_before_the_end(agent: Served, client: ClientTransport) -> None:
    request = sent("hold", "m-1")
    request.configuration.CopyFrom(SendMessageConfiguration(return_immediately=True))

    answer = await client.send_message(request, context=as_("ada"))

    assert answer.task.status.state in {TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING}
    agent.executor.release()


async def test_a_task_that_needs_an_authorization_ends_the_wait_though_the_agent_goes_on(
    agent: Served, client: ClientTransport
) -> None:
    """The agent waits for it out of band; a caller who did not hear of it could never give it."""
    answer = await client.send_message(sent("authorize", "m-1"), context=as_("ada"))

    assert answer.task.status.state == TaskState.TASK_STATE_AUTH_REQUIRED
    agent.executor.release()


async def test_an_agent_that_says_nothing_is_at_fault_and_not_the_callers_id(client: ClientTransport) -> None:
    with pytest.raises(InvalidAgentResponseError):
        await client.send_message(sent("say nothing", "m-1"), context=as_("ada"))


async def test_a_task_that_asks_ends_the_wait_and_takes_the_answer(client: ClientTransport) -> None:
    asked = (await client.send_message(sent("ask", "m-1"), context=as_("ada"))).task

    answer = await client.send_message(sent("go", "m-2", task_id=asked.id), context=as_("ada"))

    assert asked.status.state == TaskState.TASK_STATE_INPUT_REQUIRED
    assert (answer.task.id, answer.task.context_id) == (asked.id, asked.context_id)
    assert answer.task.status.state == TaskState.TASK_STATE_COMPLETED


async def test_an_executor_that_fails_fails_its_task_without_its_secrets(client: ClientTransport) -> None:
    answer = await client.send_message(sent("fail", "m-1"), context=as_("ada"))

    assert answer.task.status.state == TaskState.TASK_STATE_FAILED
    assert "secret" not in str(answer.task)


async def test_a_message_after_the_end_is_refused(client: ClientTransport) -> None:
    ended = (await client.send_message(sent("go", "m-1"), context=as_("ada"))).task

    with pytest.raises(UnsupportedOperationError):
        await client.send_message(sent("more", "m-2", task_id=ended.id), context=as_("ada"))


async def test_a_message_to_a_task_that_is_not_there_is_refused(client: ClientTransport) -> None:
    with pytest.raises(TaskNotFoundError):
        await client.send_message(sent("go", "m-1", task_id="no-such-task"), context=as_("ada"))


async def test_a_message_with_another_context_than_its_task_is_refused(client: ClientTransport) -> None:
    asked = (await client.send_message(sent("ask", "m-1"), context=as_("ada"))).task

    with pytest.raises(InvalidParamsError):
        await client.send_message(sent("go", "m-2", task_id=asked.id, context_id="another-context"), context=as_("ada"))


async def test_a_context_that_the_client_chose_is_kept(client: ClientTransport) -> None:
    answer = await client.send_message(sent("go", "m-1", context_id="my-context"), context=as_("ada"))

    assert answer.task.context_id == "my-context"


@pytest.mark.parametrize("message_id", ["", "with space", "x" * 300, "naïve"], ids=["none", "space", "long", "umlaut"])
async def test_a_message_id_that_cannot_be_kept_is_refused(client: ClientTransport, message_id: str) -> None:
    with pytest.raises(InvalidParamsError):
        await client.send_message(sent("go", message_id), context=as_("ada"))


async def test_a_message_without_parts_is_refused(client: ClientTransport) -> None:
    request = sent("go", "m-1")
    del request.message.parts[:]

    with pytest.raises(InvalidParamsError):
        await client.send_message(request, context=as_("ada"))


async def test_a_part_of_a_media_type_that_the_card_does_not_name_is_refused(
    agent: Served, client: ClientTransport
) -> None:
    request = sent("go", "m-1")
    request.message.CopyFrom(
        Message(
            message_id="m-1",
            role=Role.ROLE_USER,
            parts=[Part(raw=b"GIF89a", media_type="image/gif")],
        )
    )

    with pytest.raises(ContentTypeNotSupportedError):
        await client.send_message(request, context=as_("ada"))

    assert agent.log.kept == {}


async def test_a_negative_history_length_is_refused_before_anything_is_kept(
    agent: Served, client: ClientTransport
) -> None:
    request = sent("go", "m-1")
    request.configuration.CopyFrom(SendMessageConfiguration(history_length=-1))

    with pytest.raises(InvalidParamsError):
        await client.send_message(request, context=as_("ada"))

    assert agent.log.kept == {}


async def test_the_answer_has_as_much_history_as_was_asked_for(client: ClientTransport) -> None:
    request = sent("go", "m-1")
    request.configuration.CopyFrom(SendMessageConfiguration(history_length=0))

    answer = await client.send_message(request, context=as_("ada"))

    assert list(answer.task.history) == []


async def test_a_task_that_was_cancelled_while_a_message_waits_answers_the_wait(
    agent: Served, client: ClientTransport
) -> None:
    """A blocking caller must not wait for a task that somebody else ended."""
    request = sent("hold", "m-1")
    request.configuration.CopyFrom(SendMessageConfiguration(return_immediately=True))
    task = (await client.send_message(request, context=as_("ada"))).task

    await client.cancel_task(CancelTaskRequest(id=task.id), context=as_("ada"))
    agent.executor.release()

    again = await client.send_message(sent("hold", "m-1"), context=as_("ada"))
    assert again.task.status.state == TaskState.TASK_STATE_CANCELED
    kept = await client.get_task(GetTaskRequest(id=task.id), context=as_("ada"))
    assert kept.status.state == TaskState.TASK_STATE_CANCELED
