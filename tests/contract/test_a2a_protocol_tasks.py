"""Reading, listing and cancelling tasks, alike on every binding, seen by the SDK's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from a2a.types import CancelTaskRequest, GetTaskRequest, ListTasksRequest, SendMessageConfiguration, TaskState
from a2a.utils.errors import InvalidParamsError, TaskNotCancelableError, TaskNotFoundError

from fixtures.a2a_served import as_, sent

if TYPE_CHECKING:
    from a2a.client.transports.base import ClientTransport
    from a2a.types import Task

    from fixtures.a2a_served import Binding, Served

pytestmark = pytest.mark.anyio


@pytest.fixture
def client(agent: Served, binding: Binding) -> ClientTransport:
    """Return the SDK's client of the binding."""
    return agent.transports[binding]


async def _done(client: ClientTransport, message_id: str, context_id: str = "") -> Task:
    return (await client.send_message(sent("go", message_id, context_id=context_id), context=as_("ada"))).task


async def _held(client: ClientTransport) -> Task:
    request = sent("hold", "m-held")
    request.configuration.CopyFrom(SendMessageConfiguration(return_immediately=True))
    return (await client.send_message(request, context=as_("ada"))).task


async def test_a_task_is_read_with_its_history_and_artifacts(client: ClientTransport) -> None:
    task = await _done(client, "m-1")

    read = await client.get_task(GetTaskRequest(id=task.id), context=as_("ada"))

    assert read == task
    assert read.history[0].message_id == "m-1"


@pytest.mark.parametrize(("asked", "found"), [(0, 0), (1, 1), (100, 1)])
async def test_history_length_is_a_bound_on_the_latest(client: ClientTransport, asked: int, found: int) -> None:
    task = await _done(client, "m-1")

    read = await client.get_task(GetTaskRequest(id=task.id, history_length=asked), context=as_("ada"))

    assert len(read.history) == found


async def test_a_negative_history_length_of_a_read_is_refused(client: ClientTransport) -> None:
    task = await _done(client, "m-1")

    with pytest.raises(InvalidParamsError):
        await client.get_task(GetTaskRequest(id=task.id, history_length=-1), context=as_("ada"))


@pytest.mark.parametrize("task_id", ["no-such-task", "x" * 300, "%2e"], ids=["unknown", "long", "quoted"])
async def test_an_id_that_names_no_task_is_not_found(client: ClientTransport, task_id: str) -> None:
    with pytest.raises((TaskNotFoundError, InvalidParamsError)):
        await client.get_task(GetTaskRequest(id=task_id), context=as_("ada"))


async def test_a_cancelled_task_stays_cancelled(agent: Served, client: ClientTransport) -> None:
    """Whatever the executor does afterwards is not written."""
    task = await _held(client)

    cancelled = await client.cancel_task(CancelTaskRequest(id=task.id), context=as_("ada"))

    agent.executor.release()
    read = await client.get_task(GetTaskRequest(id=task.id), context=as_("ada"))
    assert cancelled.status.state == read.status.state == TaskState.TASK_STATE_CANCELED


async def test_a_task_that_has_ended_cannot_be_cancelled(client: ClientTransport) -> None:
    task = await _done(client, "m-1")

    with pytest.raises(TaskNotCancelableError):
        await client.cancel_task(CancelTaskRequest(id=task.id), context=as_("ada"))


async def test_a_task_that_is_not_there_cannot_be_cancelled(client: ClientTransport) -> None:
    with pytest.raises(TaskNotFoundError):
        await client.cancel_task(CancelTaskRequest(id="no-such-task"), context=as_("ada"))


async def test_tasks_are_listed_in_pages_that_add_up_to_the_total(client: ClientTransport) -> None:
    wanted = {(await _done(client, f"m-{number}")).id for number in range(5)}
    listed: list[str] = []
    token = ""

    while True:
        page = await client.list_tasks(ListTasksRequest(page_size=2, page_token=token), context=as_("ada"))
        assert page.total_size == len(wanted)
        listed += [task.id for task in page.tasks]
        token = page.next_page_token
        if not token:
            break

    assert len(listed) == len(wanted)
    assert set(listed) == wanted


async def test_a_listing_is_filtered_by_context_and_state(client: ClientTransport) -> None:
    mine = await _done(client, "m-1", context_id="mine")
    await _done(client, "m-2", context_id="other")

    page = await client.list_tasks(
        ListTasksRequest(context_id="mine", status=TaskState.TASK_STATE_COMPLETED), context=as_("ada")
    )
    none = await client.list_tasks(
        ListTasksRequest(context_id="mine", status=TaskState.TASK_STATE_WORKING), context=as_("ada")
    )

    assert [task.id for task in page.tasks] == [mine.id]
    assert list(none.tasks) == []


async def test_a_listing_has_artifacts_only_where_they_are_asked_for(client: ClientTransport) -> None:
    await _done(client, "m-1")

    without = await client.list_tasks(ListTasksRequest(), context=as_("ada"))
    with_them = await client.list_tasks(ListTasksRequest(include_artifacts=True), context=as_("ada"))

    assert not without.tasks[0].artifacts
    assert with_them.tasks[0].artifacts


@pytest.mark.parametrize("page_size", [0, -1, 101])
async def test_a_page_size_out_of_bounds_is_refused(client: ClientTransport, page_size: int) -> None:
    with pytest.raises(InvalidParamsError):
        await client.list_tasks(ListTasksRequest(page_size=page_size), context=as_("ada"))


async def test_a_page_token_that_was_not_given_out_is_refused(client: ClientTransport) -> None:
    with pytest.raises(InvalidParamsError):
        await client.list_tasks(ListTasksRequest(page_token="not-one-of-ours!"), context=as_("ada"))
