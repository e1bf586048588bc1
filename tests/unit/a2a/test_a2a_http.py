"""How the kit calls the thread store: in batches, again under the same id, and with the token of the moment."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.a2a.adapters.calling import Patience
from aeterna.a2a.adapters.http import HttpStore
from aeterna.a2a.adapters.token_file import TokenFile
from aeterna.a2a.domain.rows import Creation, Row, Write
from aeterna.a2a.errors import LeaseGoneError, StoreAwayError, StoreRefusedError, TokenUnreadableError
from aeterna.contracts.trust import FileTrust
from aeterna.enforcement.neighbour import NeighbourError
from fixtures.serving_pair import TestAuthority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any, TypeAlias

    Answer: TypeAlias = tuple[int, bytes] | Exception

pytestmark = pytest.mark.anyio

QUICK = Patience(bound=timedelta(seconds=1), first=timedelta(0), longest=timedelta(0))


def write(task_id: str, text: str = "hello") -> Write:
    row = Row(
        kind="message",
        streamed=False,
        said=True,
        author="ada",
        message_id="m1",
        role="user",
        parts=({"kind": "text", "text": text},),
    )
    return Write(task_id=task_id, owner="ada", write_id=f"w-{task_id}", rows=(row,), creation=Creation(context_id="c"))


class Service:
    """Answers writes as it is told to, and remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[list[Any]] = []
        self.tokens: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, bytes]:
        assert (method, path) == ("POST", "/api/v1/tasks/writes")
        self.tokens.append(headers["Authorization"])
        self.asked.append(json.loads(body)["writes"])
        await self.open.wait()
        if self._answers:
            answer = self._answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return answered([{"version": 1} for _ in self.asked[-1]])


def store(
    service: Service, token: Callable[[], str] = lambda: "t", clock: Callable[[], float] = lambda: 0
) -> HttpStore:
    return HttpStore(
        "http://threads",
        token,
        patience=QUICK,
        clock=clock,
        jitter=lambda: 0.5,
        exchange=service,
    )


def answered(results: Sequence[object]) -> tuple[int, bytes]:
    return 200, json.dumps({"results": results}).encode()


def refused(code: str, status: int = 409) -> tuple[int, bytes]:
    return status, json.dumps({"code": code, "detail": "no"}).encode()


async def test_writes_that_come_while_one_is_under_way_leave_together() -> None:
    service = Service()
    service.open.clear()
    log = store(service).log
    writing = [asyncio.create_task(log.write(write("first")))]
    while not service.asked:  # noqa: ASYNC110 - the transport sets no event
        await asyncio.sleep(0)
    writing += [asyncio.create_task(log.write(write(f"t{at}"))) for at in range(5)]
    await asyncio.sleep(0)
    service.open.set()

    await asyncio.gather(*writing)

    assert [len(asked) for asked in service.asked] == [1, 5]


async def test_two_writes_of_one_task_never_leave_together_and_keep_their_order() -> None:
    service = Service()
    log = store(service).log

    await asyncio.gather(*(log.write(write(name, text)) for text in "abc" for name in ("one", "two")))

    for asked in service.asked:
        assert len({item["task_id"] for item in asked}) == len(asked)
    order = [
        item["rows"][0]["parts"][0]["text"] for asked in service.asked for item in asked if item["task_id"] == "one"
    ]
    assert order == ["a", "b", "c"]


@pytest.mark.parametrize(
    "answer",
    [refused("threads.unavailable", 503), (502, b""), NeighbourError("cut off"), TimeoutError()],
    ids=["unavailable", "gateway", "cut-off", "silent"],
)
async def test_a_write_without_an_answer_is_made_again_under_the_same_id(
    answer: Answer,
) -> None:
    service = Service(answer)

    await store(service).log.write(write("t"))

    assert len(service.asked) == 2
    assert service.asked[0] == service.asked[1]


async def test_a_store_that_stays_away_is_given_up_after_the_bound() -> None:
    moments = iter([0.0, 0.4, 0.8, 1.2, 1.6])
    service = Service(*(refused("threads.busy", 503) for _ in range(5)))

    with pytest.raises(StoreAwayError):
        await store(service, clock=lambda: next(moments)).log.write(write("t"))

    assert len(service.asked) == 3


async def test_a_refused_write_leaves_its_neighbours_alone() -> None:
    results = [{"version": 1}, {"problem": {"code": "threads.lease_lost", "detail": "no"}}, {"version": 7}]
    log = store(Service(answered(results))).log

    first, lost, kept = await asyncio.gather(
        *(log.write(write(name)) for name in ("a", "b", "c")), return_exceptions=True
    )

    assert isinstance(lost, LeaseGoneError)
    assert not isinstance(first, BaseException)
    assert not isinstance(kept, BaseException)
    assert kept.version == 7


async def test_a_refusal_carries_the_stores_code_and_words() -> None:
    with pytest.raises(StoreRefusedError) as error:
        await store(Service(refused("threads.forbidden", 403))).log.write(write("t"))

    assert (error.value.problem, error.value.detail) == ("threads.forbidden", "no")


async def test_a_write_that_cannot_be_read_says_what_is_wrong_with_it() -> None:
    """It is what a caller of A2A is told, who cannot look at the store's answer."""
    wrong = [{"pointer": "/rows/0/parts", "problem": "at most 64"}]
    problem = {"code": "threads.invalid_write", "detail": "1 part(s) of the write are wrong", "errors": wrong}

    with pytest.raises(StoreRefusedError) as error:
        await store(Service(answered([{"problem": problem}]))).log.write(write("t"))

    assert error.value.detail == "/rows/0/parts: at most 64"


async def test_nobody_waits_for_ever_for_an_answer_that_is_none() -> None:
    with pytest.raises(StoreAwayError):
        await store(Service(answered([]))).log.write(write("t"))


async def test_a_listener_is_connected_again_and_told_that_it_may_have_missed_something() -> None:
    connections: list[int] = []

    def serve(request: httpx.Request) -> httpx.Response:
        connections.append(len(connections))
        if len(connections) == 2:
            raise httpx.ConnectError("gone", request=request)
        told = 'event: all\ndata: {}\n\n: beat\n\nevent: wake\ndata: {"task_id":"t","version":3}\n\n'
        return httpx.Response(200, text=told)

    store = HttpStore("http://threads", lambda: "t", jitter=lambda: 0.0, transport=httpx.MockTransport(serve))
    wakes = store.log.wakes()

    told = [(wake.task_id, wake.version) for wake in [await anext(wakes) for _ in range(4)]]

    assert told == [(None, 0), ("t", 3), (None, 0), ("t", 3)]
    assert len(connections) == 3


def token(tenant: str = "acme", subject: str = "agent") -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"tenant": tenant, "sub": subject}).encode()).decode().rstrip("=")
    return f"head.{claims}.signature"


async def test_a_token_that_was_rewritten_is_brought_with_the_next_call(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("one\n")
    service = Service()
    log = store(service, TokenFile(path).read).log
    await log.write(write("a"))
    path.write_text("another\n")

    await log.write(write("b"))

    assert service.tokens == ["Bearer one", "Bearer another"]


def test_a_token_whose_file_is_gone_for_the_moment_is_brought_on(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("one")
    found = TokenFile(path)
    found.read()
    path.unlink()

    assert found.read() == "one"


def test_a_process_knows_itself_by_its_own_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(token())

    identity = TokenFile(path).identity()

    assert (identity.tenant, identity.agent) == ("acme", "agent")


def test_a_pod_of_a_cluster_is_told_its_tenant(tmp_path: Path) -> None:
    """Its token names none, and what a token does name goes before."""
    bound, named = tmp_path / "bound", tmp_path / "named"
    claims = {"sub": "system:serviceaccount:acme-agents:bot"}
    bound.write_text(f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.AAAA")
    named.write_text(token())

    found = [TokenFile(path).identity(tenant="globex") for path in (bound, named)]

    assert [(each.tenant, each.agent) for each in found] == [
        ("globex", "system:serviceaccount:acme-agents:bot"),
        ("acme", "agent"),
    ]
    with pytest.raises(TokenUnreadableError):
        TokenFile(bound).identity()


async def test_only_a_store_of_an_authority_of_the_file_is_sent_the_token(tmp_path: Path) -> None:
    mine, stranger = TestAuthority("mine"), TestAuthority("stranger")
    authorities, pair = tmp_path / "ca.crt", tmp_path / "pair.pem"
    authorities.write_bytes(mine.pem())
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"tasks": []}')
        writer.close()

    outcomes: list[str] = []
    for authority in (stranger, mine):
        pair.write_bytes(b"".join(authority.pair()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context, ssl_shutdown_timeout=0.1) as server:
            url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
            store = HttpStore(url, lambda: "the-token", tls=FileTrust(authorities))
            try:
                await store.check()
                outcomes.append("asked")
            except StoreAwayError:
                outcomes.append("away")
            await store.aclose()

    assert outcomes == ["away", "asked"]
    assert len(seen) == 1
    assert b"Bearer the-token" in seen[0]


@pytest.mark.parametrize("content", [None, "", "no token", "a.b.c", "é"])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content, encoding="utf-8")

    with pytest.raises(TokenUnreadableError):
        TokenFile(path).identity()
