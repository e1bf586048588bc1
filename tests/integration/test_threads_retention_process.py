"""A service, its client and its command: a person is erased from end to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from aeterna.client import Aeterna
from aeterna.client.thread_problem_codes import ThreadHoldError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aeterna.service.testing import SigningKey
    from fixtures.fix_threads import ServiceProcess

LARGE = "a secret of ada's. " * 10_000


def client_of(service: ServiceProcess, key: SigningKey, subject: str) -> Aeterna:
    """Return the client of an administrator; nobody listens where the graph would be."""
    token = key.token("acme", roles=("admin",), subject=subject)
    return Aeterna(graph_url="http://127.0.0.1:9", threads_url=service.url, token=token)


def test_a_person_is_erased_through_the_service(
    start_threads: Callable[..., ServiceProcess], signing_key: SigningKey, database: str, tmp_path: Path
) -> None:
    """Large parts included, under a hold not, and the certificate is there for whoever asks."""
    folder = tmp_path / "objects"
    service = start_threads(AETERNA_THREADS_OBJECTS=folder.as_uri())
    with client_of(service, signing_key, "ada") as ada:
        thread = ada.threads.open("t-1")
        thread.append("user", [LARGE], message_id="m-1")
        read = [message.parts for message in thread.messages()]
    with client_of(service, signing_key, "officer") as officer:
        retention = officer.threads.retention
        retention.hold("case-1", reason="discovery", subject="ada")
        with pytest.raises(ThreadHoldError):
            retention.erase("ada")
        retention.release("case-1")
        # What was just written may belong to a write that failed, and would be waited for.
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE threads.objects SET noted_at = '-infinity'")
        found = retention.erase("ada")
        while not found.done:
            found = retention.erasure(found.erasure_id)
        usage = retention.usage()
        left = [path for path in folder.rglob("*") if path.is_file()]

    assert (len(read), usage.quotas["threads"]) == (1, None)
    assert (found.removed["threads"], found.removed["objects"], left) == (1, 1, [])
