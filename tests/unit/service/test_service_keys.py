"""How the keys that prove tokens are fetched, rotated and outlived."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from aeterna.service.adapters.jwks import KeySet, source
from aeterna.service.errors import KeysUnavailableError
from aeterna.service.testing import SigningKey


@dataclass
class Issuer:
    """Publishes keys, or is down, and counts how often it is asked."""

    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey(key_id="first")])
    document: bytes | None = None
    down: bool = False
    asked: int = 0
    now: float = 1000.0

    def fetch(self) -> bytes:
        """Return the key set."""
        self.asked += 1
        if self.down:
            raise KeysUnavailableError("down")
        return self.document or json.dumps({"keys": [key.jwk() for key in self.keys]}).encode()

    def key_set(self) -> KeySet:
        """Return a key set that asks this issuer, by this issuer's clock."""
        return KeySet(
            self.fetch,
            fresh_for=timedelta(seconds=300),
            stale_for=timedelta(seconds=3600),
            min_interval=timedelta(seconds=10),
            clock=lambda: self.now,
        )


def test_the_set_is_fetched_once_while_it_is_fresh() -> None:
    issuer = Issuer()
    keys = issuer.key_set()

    found = [keys.key("first") for _ in range(100)]

    assert all(found)
    assert issuer.asked == 1


def test_a_rotation_is_noticed_by_the_new_keys_id() -> None:
    issuer = Issuer()
    keys = issuer.key_set()
    keys.key("first")
    issuer.keys.append(SigningKey(key_id="second"))
    issuer.now += 11

    found = keys.key("second")

    assert found is not None


def test_forged_key_ids_do_not_make_us_hammer_the_issuer() -> None:
    issuer = Issuer()
    keys = issuer.key_set()
    keys.key("first")

    unknown = [keys.key(f"forged-{number}") for number in range(1000)]

    assert not any(unknown)
    assert issuer.asked == 1


def test_a_silent_issuer_is_survived_with_the_last_set() -> None:
    issuer = Issuer()
    keys = issuer.key_set()
    keys.key("first")
    issuer.down = True
    issuer.now += 3599

    found = keys.key("first")

    assert found is not None


def test_the_last_set_is_not_trusted_for_ever() -> None:
    """A key may have been withdrawn because it was stolen."""
    issuer = Issuer()
    keys = issuer.key_set()
    keys.key("first")
    issuer.down = True
    issuer.now += 3601

    with pytest.raises(KeysUnavailableError):
        keys.key("first")


def test_a_withdrawn_key_is_forgotten_with_the_next_set() -> None:
    issuer = Issuer()
    keys = issuer.key_set()
    keys.key("first")
    issuer.keys = [SigningKey(key_id="second")]
    issuer.now += 301

    assert keys.key("first") is None


def test_without_any_set_nothing_can_be_proven() -> None:
    keys = Issuer(down=True).key_set()

    with pytest.raises(KeysUnavailableError):
        keys.key("first")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b'{"keys": 7}',
        b'{"keys": [7, {}]}',
        b'{"keys": []}',
        b"\xff\xfe",
        b'{"keys":[{"kid":[]}]}',
        b"[" * 100_000,
    ],
)
def test_a_document_that_is_no_key_set_does_not_replace_one(document: bytes) -> None:
    issuer = Issuer()
    keys = issuer.key_set()
    keys.key("first")
    issuer.document = document
    issuer.now += 301

    assert keys.key("first") is not None


@pytest.mark.parametrize("odd", [{"kty": "oct"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": ["RS256"]}])
def test_an_odd_key_beside_a_good_one_is_passed_over(odd: dict[str, object]) -> None:
    issuer = Issuer()
    issuer.document = json.dumps({"keys": [odd, issuer.keys[0].jwk()]}).encode()

    assert issuer.key_set().key("first") is not None


def test_an_issuer_that_never_ends_its_answer_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/keys"
        dripping = threading.Thread(target=drip, args=[server])
        dripping.start()

        with pytest.raises(KeysUnavailableError):
            source(address, timeout=timedelta(seconds=0.2))()

        dripping.join()


def drip(server: socket.socket) -> None:
    """Answer one request, byte by byte, until whoever asks has enough."""
    connection, _ = server.accept()
    with connection, contextlib.suppress(OSError):
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            connection.sendall(b" ")
            time.sleep(0.01)  # the pace of a slow issuer, not a wait for luck


def test_a_single_key_is_found_without_an_id_and_one_of_two_is_not() -> None:
    alone, two = Issuer(), Issuer(keys=[SigningKey(key_id="a"), SigningKey(key_id="b")])

    assert alone.key_set().key(None) is not None
    assert two.key_set().key(None) is None


def test_a_slow_issuer_does_not_stop_those_who_have_a_key() -> None:
    """One thread waits for the new set; the others go on with the old one."""
    issuer = Issuer()
    asked, released = threading.Event(), threading.Event()
    document = issuer.fetch()

    def slow() -> bytes:
        asked.set()
        released.wait(10)
        return document

    slow_keys = KeySet(slow, fresh_for=timedelta(0), min_interval=timedelta(0), clock=lambda: issuer.now)
    released.set()
    slow_keys.key("first")
    asked.clear()
    released.clear()
    issuer.now += 1
    waiting = threading.Thread(target=slow_keys.key, args=["first"])
    waiting.start()
    asked.wait(10)

    found = slow_keys.key("first")
    released.set()
    waiting.join()

    assert found is not None
