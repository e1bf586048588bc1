"""Hostile requests to the real service: each is a 4xx problem, and nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.service.testing import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.fix_threads import ServiceProcess

THREADS = "/api/v1/threads"
EVERY_ROUTE = [
    ("GET", THREADS),
    ("POST", THREADS),
    ("GET", f"{THREADS}/t-1"),
    ("GET", f"{THREADS}/t-1/messages"),
    ("POST", f"{THREADS}/t-1/messages"),
    ("GET", f"{THREADS}/t-1/events"),
]
SAID = {"message_id": "m-2", "role": "user", "parts": ["hi"]}


@pytest.fixture
def service(
    start_threads: Callable[..., ServiceProcess], threads_client: Callable[..., httpx.Client]
) -> ServiceProcess:
    """Return a service in which acme has a thread with one message."""
    process = start_threads()
    client = threads_client(process)
    client.post(THREADS, json={"thread_id": "t-1"})
    client.post(f"{THREADS}/t-1/messages", json=SAID | {"message_id": "m-1"})
    return process


@pytest.fixture
def untouched(service: ServiceProcess, threads_client: Callable[..., httpx.Client]) -> Callable[[], bool]:
    """Return what says whether acme's threads are as they were."""
    client = threads_client(service)
    before = client.get(THREADS).json()
    return lambda: client.get(THREADS).json() == before


def test_a_token_that_proves_nothing_gets_nothing(
    service: ServiceProcess, signing_key: SigningKey, untouched: Callable[[], bool]
) -> None:
    header, payload, _ = signing_key.token().split(".")
    tokens = {
        "unsigned": f"{header}.{payload}.",
        "another issuer's key": SigningKey(issuer=signing_key.issuer).token(),
        "expired": signing_key.token(exp=1),
        "another audience": signing_key.token(aud="other"),
        "another issuer": signing_key.token(iss="urn:other"),
        "no tenant": signing_key.token(without=["tenant"]),
        "a tenant that is none": signing_key.token(tenant="../acme"),
        "rubbish": "rubbish",
    }

    answers = {
        (name, method, path): httpx.request(
            method, service.url + path, headers={"Authorization": f"Bearer {token}"}, json=SAID, trust_env=False
        )
        for name, token in tokens.items()
        for method, path in EVERY_ROUTE
    }

    assert {key: answer.status_code for key, answer in answers.items() if answer.status_code not in {401, 403}} == {}
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/problem+json"}
    assert untouched()


@pytest.mark.parametrize("headers", [{}, {"X-Tenant": "acme", "Tenant": "acme", "X-Tenant-ID": "acme"}])
def test_another_tenant_reaches_nothing_however_it_asks(
    service: ServiceProcess,
    threads_client: Callable[..., httpx.Client],
    untouched: Callable[[], bool],
    headers: dict[str, str],
) -> None:
    other = threads_client(service, "other", ("admin",))

    answers = [
        other.request(method, path, json=SAID, headers=headers, params={"tenant": "acme"})
        for method, path in EVERY_ROUTE
        if "t-1" in path
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert other.get(THREADS, headers=headers).json() == {"threads": [], "next_cursor": None}
    assert untouched()


def test_taking_a_thread_over_by_its_id_fails(
    service: ServiceProcess, threads_client: Callable[..., httpx.Client], untouched: Callable[[], bool]
) -> None:
    """The other tenant gets a thread of that id, its own and empty."""
    other = threads_client(service, "other")

    opened = other.post(THREADS, json={"thread_id": "t-1"})

    assert (opened.status_code, opened.json()["last_seq"]) == (201, 0)
    assert other.get(f"{THREADS}/t-1/messages").json()["messages"] == []
    assert untouched()


@pytest.mark.parametrize(
    "content",
    [
        b"{" * 100_000,
        b'{"message_id":"m-2","role":"user","parts":[{"kind":"data","data":' + b"[" * 40 + b"]" * 40 + b"}]}",
        b'{"message_id":"m-2","role":"user","parts":["\\u0000"]}',
        b'{"message_id":"m-2","role":"user","parts":["\\ud800"]}',
        b'{"message_id":"m-2","role":"user","parts":[{"kind":"data","data":NaN}]}',
        b'{"message_id":"m-2","role":"user","parts":[{"kind":"data","data":1e999}]}',
        b'{"message_id":"m-2","role":"user","parts":[{"kind":"data","data":' + b"9" * 10_000 + b"}]}",
        b'{"message_id":"m-2","role":"user","parts":["' + b"x" * 2_000_000 + b'"]}',
        b'{"message_id":"\'; DROP TABLE threads.messages; --","role":"user","parts":["x"]}',
        b"\xff",
        b"",
    ],
    ids=["braces", "deep", "nul", "surrogate", "nan", "infinite", "digits", "large", "sql", "bytes", "empty"],
)
def test_a_hostile_body_is_refused(
    service: ServiceProcess,
    threads_client: Callable[..., httpx.Client],
    untouched: Callable[[], bool],
    content: bytes,
) -> None:
    client = threads_client(service)

    answer = client.post(f"{THREADS}/t-1/messages", content=content, headers={"Content-Type": "application/json"})

    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert untouched()
