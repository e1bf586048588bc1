"""Push notifications from end to end: a caller of A2A names an address, and hears there what the agent did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from aeterna.a2a.adapters.notifications import NotificationVerifier
from fixtures.fix_threads import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from aeterna.service.testing import SigningKey
    from fixtures.push_receiver import Receiver, Receivers

PROGRAM: Final = Path(__file__).parent.parent / "fixtures" / "pushing_agent.py"


@pytest.fixture
def receiver(receivers: Receivers) -> Receiver:
    """Return the caller's receiver."""
    return receivers()


@pytest.fixture
def store(
    start_threads: Callable[..., ServiceProcess], push_keys: Mapping[str, str], receiver: Receiver
) -> ServiceProcess:
    """Return a thread store that may send to the receiver."""
    return start_threads(**push_keys, AETERNA_THREADS_PUSH_PRIVATE_HOSTS=json.dumps([receiver.place]))


@pytest.fixture
def caller(
    store: ServiceProcess, threads_environment: dict[str, str], signing_key: SigningKey, tmp_path: Path
) -> Generator[httpx.Client]:
    """Return a client of the agent, with the token of one of its callers."""
    token_file = tmp_path / "agent.token"
    token_file.write_text(signing_key.token("acme", subject="counter", roles=["runner"], kind="agent"))
    shared = {key: threads_environment[f"AETERNA_THREADS_{key}"] for key in ("ISSUER", "JWKS", "POLICY_URL")}
    environment = {f"AETERNA_AGENT_{key}": value for key, value in shared.items()} | {
        "AETERNA_AGENT_PORT": "0",
        "AETERNA_AGENT_THREADS_URL": store.url,
        "AETERNA_AGENT_TOKEN_FILE": str(token_file),
    }
    agent = ServiceProcess("pushing_agent", environment, program=[str(PROGRAM)], port="AETERNA_AGENT_PORT")
    token = signing_key.token("acme", subject="ada")
    headers = {"Authorization": f"Bearer {token}", "A2A-Version": "1.0"}
    with httpx.Client(base_url=agent.url, headers=headers, trust_env=False, timeout=20) as client:
        yield client
    agent.kill()


def ask(caller: httpx.Client, method: str, **params: object) -> Any:  # noqa: ANN401 - whatever JSON-RPC answers
    """Make a call by JSON-RPC."""
    answer = caller.post("/", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    assert answer.status_code == 200, answer.text
    return answer.json()


def message() -> dict[str, object]:
    """Return what the caller says."""
    return {"messageId": "m-1", "role": "ROLE_USER", "parts": [{"text": "count"}]}


def test_a_caller_hears_at_its_address_what_the_agent_did(
    caller: httpx.Client, store: ServiceProcess, receiver: Receiver, tmp_path: Path
) -> None:
    keys = tmp_path / "published.json"
    keys.write_bytes(httpx.get(f"{store.url}/.well-known/jwks.json", trust_env=False).content)
    config = {
        "id": "phone",
        "url": receiver.url(),
        "token": "t-1",
        "authentication": {"scheme": "Bearer", "credentials": "c-1"},
    }

    answer = ask(caller, "SendMessage", message=message(), configuration={"taskPushNotificationConfig": config})

    task = answer["result"]["task"]
    received = receiver.wait_for(5)
    verifier = NotificationVerifier(str(keys), issuer="https://threads.test", url=receiver.url(), token="t-1")
    told: list[Any] = [verifier.verify(one.headers, one.body).response for one in received]
    assert [next(iter(one)) for one in told] == ["task", *["artifactUpdate"] * 3, "statusUpdate"]
    assert told[0]["task"]["id"] == task["id"]
    assert [part["text"] for part in told[0]["task"]["history"][0]["parts"]] == ["count"]
    assert [one["artifactUpdate"]["artifact"]["parts"][0]["text"] for one in told[1:4]] == ["one", "two", "three"]
    assert told[4]["statusUpdate"]["status"]["state"] == "TASK_STATE_COMPLETED"
    assert received[0].headers["Authorization"] == "Bearer c-1"


def test_secrets_are_not_given_back_to_the_caller(caller: httpx.Client, receiver: Receiver) -> None:
    task_id = ask(caller, "SendMessage", message=message())["result"]["task"]["id"]
    config = {"taskId": task_id, "id": "phone", "url": receiver.url(), "token": "canary-token"}
    created = ask(caller, "CreateTaskPushNotificationConfig", **config)

    read = ask(caller, "GetTaskPushNotificationConfig", taskId=task_id, id="phone")
    listed = ask(caller, "ListTaskPushNotificationConfigs", taskId=task_id)

    assert read["result"]["url"] == receiver.url()
    assert "canary" not in json.dumps([created, read, listed])


def test_an_address_in_our_own_network_is_refused_by_the_protocols_error(caller: httpx.Client) -> None:
    task_id = ask(caller, "SendMessage", message=message())["result"]["task"]["id"]

    refused = ask(
        caller, "CreateTaskPushNotificationConfig", taskId=task_id, id="x", url="https://169.254.169.254/latest"
    )

    assert (refused["error"]["code"], "not public" in refused["error"]["message"]) == (-32602, True)
