"""A conversation outlives the process that serves it."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

from aeterna.cli.local.record import Record
from aeterna.cli.local.state_dir import StateDir
from aeterna.client import NoAnswerError, ProblemError, RetryPolicy, UnreachableError
from fixtures.fix_live_runtime import wait_until

if TYPE_CHECKING:
    from aeterna.client import SyncThread
    from fixtures.fix_live_runtime import LiveRuntime

MESSAGES = 60
KILL_AT = (15, 35)
STUBBORN = RetryPolicy(attempts=8)


def append_until_kept(thread: SyncThread, number: int) -> None:
    """Append as an agent does that must not lose a message: the same message id until somebody answers."""
    while True:
        try:
            thread.append("agent", [f"message {number}"], message_id=f"m-{number}")
        except (UnreachableError, NoAnswerError, ProblemError):
            continue
        return


def test_a_killed_thread_store_loses_and_doubles_nothing(own: LiveRuntime, tenant: str) -> None:
    """The store is killed twice in mid-conversation, and `aeterna up` brings it back, while one reader follows."""
    own.up("--no-corpus")
    client = own.client("writer", tenant=tenant, retries=STUBBORN)
    thread = client.threads.open("incident-7")
    heard: list[str] = []

    def follow() -> None:
        with own.client("reader", tenant=tenant, retries=RetryPolicy(attempts=60)) as listener:
            for message in listener.threads.get("incident-7").events():
                heard.append(message.text)
                if len(heard) == MESSAGES:
                    return

    reader = threading.Thread(target=follow)
    reader.start()
    for number in range(1, MESSAGES + 1):
        if number in KILL_AT:
            killer = threading.Thread(
                target=lambda: os.kill(Record.read(StateDir(own.root)).processes["threads"].pid, signal.SIGKILL)
            )
            killer.start()
            append_until_refused_or_kept(thread, number)
            killer.join()
            own.up("--no-corpus")
        append_until_kept(thread, number)
    reader.join(timeout=60)
    kept = list(thread.messages())
    client.close()

    assert [message.seq for message in kept] == list(range(1, MESSAGES + 1))
    assert [message.message_id for message in kept] == [f"m-{number}" for number in range(1, MESSAGES + 1)]
    assert heard == [f"message {number}" for number in range(1, MESSAGES + 1)]


def append_until_refused_or_kept(thread: SyncThread, number: int) -> None:
    """Append once, while the store is being killed: whether it was kept is for the repetition to find out."""
    try:
        thread.append("agent", [f"message {number}"], message_id=f"m-{number}")
    except (UnreachableError, NoAnswerError, ProblemError):
        return


def test_a_killed_graph_api_keeps_every_acknowledged_session(own: LiveRuntime, tenant: str) -> None:
    own.up("--no-corpus")
    client = own.client("writer", tenant=tenant, retries=STUBBORN)
    acknowledged: list[str] = []

    def write() -> None:
        for number in range(200):
            try:
                with client.graph.session(f"s-{number}") as session:
                    session.node(f"n-{number}", kind="Thing")
            except (UnreachableError, NoAnswerError, ProblemError):
                return
            acknowledged.append(f"n-{number}")

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: len(acknowledged) > 3)
    own.kill("graph")
    writer.join(timeout=60)
    own.up("--no-corpus")

    assert [client.graph.node(node_id).node.id for node_id in acknowledged] == acknowledged
    client.close()
