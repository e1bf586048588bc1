"""The relay as a process between programs that speak plain Redis and a real Redis with TLS, users and tokens."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from fixtures.opal import free_port
from fixtures.relayed_cache import CANARY, USER, Relay, asked, line_of, pod_of, relay, relayed
from fixtures.secured_redis import SecuredRedis
from fixtures.serving_pair import TestAuthority
from fixtures.token_issuers import Issuer, running
from fixtures.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = [pytest.mark.needs("redis")]

REDIS_SCOPE = "https://redis.azure.com/.default"


@pytest.fixture
def redis(tmp_path: Path) -> Generator[SecuredRedis]:
    """Return a running Redis."""
    server = SecuredRedis(free_port(), tmp_path)
    server.start()
    yield server
    server.stop()


def test_a_program_that_knows_neither_tls_nor_a_login_publishes_and_listens(redis: SecuredRedis) -> None:
    """What OPAL's broadcast does: one connection listens for hours, others publish."""
    with relayed(redis, Issuer(assertion=CANARY)) as one:
        listener, publisher = one.connect(), one.connect()
        listener.sendall(b"*2\r\n$9\r\nSUBSCRIBE\r\n$6\r\nevents\r\n")
        subscribed = [line_of(listener) for _ in range(6)]
        received = asked(publisher, "PUBLISH", "events", "x" * 300_000)
        told = [line_of(listener) for _ in range(7)]

    assert subscribed[-1] == "1"
    assert received == "1"
    assert told[-1] == "x" * 300_000
    said = one.log.read_text("utf-8")
    assert CANARY not in said
    assert "ya29" not in said


@contextmanager
def relayed_by_entra(redis: SecuredRedis, issuer: Issuer) -> Generator[Relay]:
    """Run Entra ID, and a relay that is ready with its tokens."""
    authority = TestAuthority("entra")
    pair = redis.folder / "entra.pem"
    pair.write_bytes(b"".join(authority.pair()))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair)
    roots = redis.folder / "entra-ca.pem"
    roots.write_bytes(authority.pem())
    issuer.on_issue = lambda token: redis.accept(USER, token)
    with running(issuer, tls), relay(redis, "azure", pod_of("azure", issuer, redis.folder, roots)) as one:
        wait_until(one.ready)
        yield one


def test_entra_id_is_asked_for_the_caches_own_scope(redis: SecuredRedis) -> None:
    issuer = Issuer(assertion=CANARY, scope=REDIS_SCOPE)
    with relayed_by_entra(redis, issuer) as one:
        answer = asked(one.connect(), "SET", "key", "value")

    assert answer == "OK"
    assert [secret for secret in (CANARY, *issuer.issued) if secret in one.log.read_text("utf-8")] == []


@pytest.mark.parametrize("name", ["another host", "another authority"])
def test_a_server_that_does_not_prove_its_name_gets_no_token(name: str, redis: SecuredRedis, tmp_path: Path) -> None:
    """The Redis behind it would take the token: it is the relay that does not show it."""
    if name == "another authority":
        redis.ca_file.write_bytes(TestAuthority("stranger").pem())
    host = "127.0.0.2" if name == "another host" else "localhost"
    issuer = Issuer(assertion=CANARY, on_issue=lambda token: redis.accept(USER, token))
    with running(issuer):
        pod = pod_of("gcp", issuer, tmp_path, redis.ca_file)
        with relay(redis, "gcp", pod, CACHE_HOST=host if name == "another host" else "localhost") as one:
            wait_until(lambda: any(event["event"] == "relay.cache_away" for event in one.events()))
            ready, closed = one.ready(), one.connect().recv(1)

    assert (ready, closed) == (False, b"")
    assert redis.asked("ACL", "LOG") == "*0"


def test_a_token_that_was_rotated_lets_new_connections_in_and_old_ones_go_on(redis: SecuredRedis) -> None:
    """Redis looks at a password when a connection begins, as the clouds do."""
    issuer = Issuer(assertion=CANARY)
    with relayed(redis, issuer) as one:
        old = one.connect()
        asked(old, "SET", "key", "1")
        issuer.rotate()
        redis.accept(USER, "revoked")

        def answered() -> bool:
            client = one.connect()
            try:
                return asked(client, "GET", "key") == "$1"
            except OSError:
                return False

        wait_until(answered)

    assert len(issuer.issued) == 2


def test_the_cache_may_go_and_come_back(redis: SecuredRedis) -> None:
    issuer = Issuer(assertion=CANARY)
    with relayed(redis, issuer) as one:
        client = one.connect()
        asked(client, "PING")
        redis.stop()
        cut = client.recv(1)
        wait_until(lambda: not one.ready())
        refused = one.connect().recv(1)
        redis.start()
        redis.accept(USER, issuer.issued[-1])
        wait_until(one.ready)
        back = asked(one.connect(), "PING")

    assert (cut, refused, back) == (b"", b"", "PONG")


def test_there_are_only_so_many_clients(redis: SecuredRedis) -> None:
    with relayed(redis, Issuer(assertion=CANARY), MAX_CONNECTIONS="2") as one:
        clients = [one.connect() for _ in range(2)]
        answers = [asked(client, "PING") for client in clients]
        refused = line_of(one.connect())
        clients[0].close()
        wait_until(lambda: one.metric("aeterna_relay_connections") == 1)
        after = asked(one.connect(), "PING")

    assert (answers, after) == (["PONG", "PONG"], "PONG")
    assert refused == "-ERR max number of clients reached"


def test_a_client_that_reads_slowly_does_not_fill_the_relays_memory(redis: SecuredRedis) -> None:
    """64 MB wait in Redis and in the sockets, and not in between."""
    with relayed(redis, Issuer(assertion=CANARY)) as one:
        client = one.connect()
        asked(client, "SET", "large", "x" * (16 * 1024 * 1024))
        before = _resident(one.process.pid)
        for _ in range(4):
            client.sendall(b"*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n")
        wait_until(lambda: one.metric('aeterna_relay_bytes_total{direction="to_cache"}') > 16 * 1024 * 1024)
        grown = _resident(one.process.pid) - before

    assert grown < 8 * 1024 * 1024


def _resident(process: int) -> int:
    return psutil.Process(process).memory_info().rss


def test_it_drains_when_it_is_told_to_stop(redis: SecuredRedis) -> None:
    with relayed(redis, Issuer(assertion=CANARY)) as one:
        client = one.connect()
        asked(client, "PING")
        one.terminate()
        ended = client.recv(1)
        status = one.process.wait(20)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(one.address, timeout=5)

    assert (ended, status) == (b"", 0)
