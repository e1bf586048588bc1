"""Push notification configurations: kept, shown without their secrets, forgotten; alike on every binding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from a2a.types import (
    AuthenticationInfo,
    DeleteTaskPushNotificationConfigRequest,
    GetTaskPushNotificationConfigRequest,
    ListTaskPushNotificationConfigsRequest,
    TaskPushNotificationConfig,
)
from a2a.utils.errors import InvalidParamsError, TaskNotFoundError

from aeterna.a2a.errors import StoreRefusedError
from fixtures.a2a_served import as_, sent

if TYPE_CHECKING:
    from a2a.client.transports.base import ClientTransport

    from fixtures.a2a_served import Binding, Served

pytestmark = pytest.mark.anyio

_URL = "https://example.com/hook"


@pytest.fixture
def client(agent: Served, binding: Binding) -> ClientTransport:
    """Return the SDK's client of the binding."""
    return agent.transports[binding]


@pytest.fixture
async def task_id(client: ClientTransport) -> str:
    """Return a task that waits for input."""
    return (await client.send_message(sent("ask", "m-1"), context=as_("ada"))).task.id


async def _kept(client: ClientTransport, task_id: str, config_id: str = "p-1") -> TaskPushNotificationConfig:
    config = TaskPushNotificationConfig(
        task_id=task_id,
        id=config_id,
        url=_URL,
        token="canary-token",
        authentication=AuthenticationInfo(scheme="Bearer", credentials="canary-credentials"),
    )
    return await client.create_task_push_notification_config(config, context=as_("ada"))


async def test_a_configuration_is_kept_and_its_secrets_are_never_given_out_again(
    client: ClientTransport, task_id: str
) -> None:
    created = await _kept(client, task_id)

    read = await client.get_task_push_notification_config(
        GetTaskPushNotificationConfigRequest(task_id=task_id, id="p-1"), context=as_("ada")
    )

    assert read == created
    assert (read.task_id, read.id, read.url, read.authentication.scheme) == (task_id, "p-1", _URL, "Bearer")
    assert "canary" not in str(created)


async def test_a_configuration_without_an_id_has_one_that_is_the_same_for_the_same_address(
    client: ClientTransport, task_id: str
) -> None:
    """A client that repeats its request must not be told everything twice."""
    first = await _kept(client, task_id, config_id="")

    second = await _kept(client, task_id, config_id="")

    assert first.id == second.id


async def test_all_configurations_of_a_task_are_listed(client: ClientTransport, task_id: str) -> None:
    for name in ("p-1", "p-2"):
        await _kept(client, task_id, name)

    listed = await client.list_task_push_notification_configs(
        ListTaskPushNotificationConfigsRequest(task_id=task_id), context=as_("ada")
    )

    assert {config.id for config in listed.configs} == {"p-1", "p-2"}


async def test_a_deleted_configuration_is_not_found_and_deleting_it_again_is_no_error(
    client: ClientTransport, task_id: str
) -> None:
    await _kept(client, task_id)
    request = DeleteTaskPushNotificationConfigRequest(task_id=task_id, id="p-1")

    await client.delete_task_push_notification_config(request, context=as_("ada"))
    await client.delete_task_push_notification_config(request, context=as_("ada"))

    with pytest.raises(TaskNotFoundError):
        await client.get_task_push_notification_config(
            GetTaskPushNotificationConfigRequest(task_id=task_id, id="p-1"), context=as_("ada")
        )


async def test_a_configuration_may_come_with_the_message(client: ClientTransport) -> None:
    request = sent("ask", "m-1")
    request.configuration.task_push_notification_config.CopyFrom(TaskPushNotificationConfig(id="p-1", url=_URL))

    task = (await client.send_message(request, context=as_("ada"))).task

    read = await client.get_task_push_notification_config(
        GetTaskPushNotificationConfigRequest(task_id=task.id, id="p-1"), context=as_("ada")
    )
    assert read.url == _URL


async def test_an_address_that_the_store_will_not_send_to_is_refused(
    agent: Served, client: ClientTransport, task_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether an address is one is the store's to say, which is who would send there."""

    async def refuse(*_: object, **__: object) -> None:
        raise StoreRefusedError("threads.push_url_refused", "addresses of this network are not sent to")

    monkeypatch.setattr(type(agent.pushes), "put", refuse)

    with pytest.raises(InvalidParamsError, match="not sent to"):
        await _kept(client, task_id)
