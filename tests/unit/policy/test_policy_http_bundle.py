"""Signed bundles over HTTP: what is asked, what is believed, and what is refused as a whole."""

from __future__ import annotations

import gc
import ssl
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.cedar.adapters import signing
from aeterna.cedar.domain.signed_bundle import MAX_BYTES
from aeterna.cedar.errors import (
    BundleError,
    BundleInvalidError,
    BundleOutdatedError,
    BundleSignatureError,
    BundleUnreadableError,
)
from aeterna.policy.adapters.http_bundle import HttpBundleSource, checked_address
from aeterna.policy.adapters.version_file import VersionFile
from aeterna.policy.errors import AddressRefusedError
from fixtures.bundle_administration import FILES, Administration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def administration(tmp_path: Path) -> Administration:
    """Return an administration point with version 1 deployed."""
    return Administration(tmp_path)


def test_a_bundle_with_a_good_signature_is_used(administration: Administration) -> None:
    assert administration.source().read().files() == FILES


def test_what_did_not_change_is_not_sent_again(administration: Administration) -> None:
    source = administration.source()

    bundles = [source.read(), source.read()]

    assert bundles[0] is bundles[1]
    assert [request.headers.get("If-None-Match") for request in administration.asked] == [None, '"1"']


def test_the_sidecar_says_who_it_is(administration: Administration) -> None:
    administration.source().read()

    assert administration.asked[0].headers["Aeterna-Replica"] == "pod-7"


def test_a_token_that_is_asked_for_is_shown_and_may_be_replaced(administration: Administration, tmp_path: Path) -> None:
    token = tmp_path / "token"
    source = administration.source(token=token)
    for text in ("first\n", "second"):
        token.write_text(text)
        source.read()

    shown = [request.headers["Authorization"] for request in administration.asked]

    assert shown == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("content", [None, b"\xff", b"a\r\nX-Other: b"])
def test_without_a_token_that_is_one_nothing_is_asked(
    content: bytes | None, administration: Administration, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    if content is not None:
        token.write_bytes(content)

    with pytest.raises(BundleUnreadableError):
        administration.source(token=token).read()
    assert administration.asked == []


def test_after_any_failure_the_next_fetch_is_a_whole_one(administration: Administration) -> None:
    source = administration.source()
    source.read()
    good, administration.answer = administration.answer, httpx.Response(503)
    with pytest.raises(BundleUnreadableError):
        source.read()
    administration.answer = good

    source.read()

    assert "If-None-Match" not in administration.asked[-1].headers


@pytest.mark.parametrize("etag", ["\u00e9", "a" * 1025])
def test_an_etag_that_cannot_be_sent_back_is_not_kept(etag: str, administration: Administration) -> None:
    source = administration.source()
    administration.answer.headers = httpx.Headers({**administration.answer.headers, "ETag": etag}, encoding="utf-8")
    source.read()

    bundle = source.read()

    assert bundle.files() == FILES
    assert "If-None-Match" not in administration.asked[-1].headers


def test_cookies_are_neither_kept_nor_sent(administration: Administration) -> None:
    source = administration.source()
    administration.answer.headers["Set-Cookie"] = "replica=7; Path=/"
    source.read()

    source.read()

    assert "Cookie" not in administration.asked[-1].headers


def test_a_rotated_key_is_taken_without_a_restart(administration: Administration) -> None:
    source = administration.source()
    source.read()
    second = administration.new_key("second")
    (administration.keys / "first.pem").unlink()
    administration.answer = administration.deployed(2, private=second)

    assert source.read().files() == FILES


def _stripped(answer: httpx.Response, header: str) -> httpx.Response:
    headers = {name: value for name, value in answer.headers.items() if name != header.lower()}
    return httpx.Response(answer.status_code, content=answer.content, headers=headers)


def _forged(administration: Administration) -> Iterator[tuple[str, httpx.Response]]:
    good = administration.answer
    other = administration.deployed(1, {"a.cedar": "forbid", "s.cedarschema": "schema"})
    yield "no signature", _stripped(good, "Aeterna-Signature")
    yield "another body's signature", httpx.Response(200, content=other.content, headers=good.headers)
    yield (
        "a byte more",
        httpx.Response(
            200, content=good.content + b" ", headers={"Aeterna-Signature": good.headers["Aeterna-Signature"]}
        ),
    )
    yield "a stranger's key", administration.deployed(1, private=signing.new_key()[0])


@pytest.mark.parametrize("number", range(4))
def test_what_nobody_trusted_has_signed_is_refused(number: int, administration: Administration) -> None:
    name, administration.answer = list(_forged(administration))[number]

    with pytest.raises(BundleSignatureError):
        administration.source().read()
    assert name


def test_an_older_version_is_refused_even_after_a_restart(administration: Administration) -> None:
    old = administration.answer
    administration.answer = administration.deployed(2)
    administration.source().read()
    administration.answer = old

    with pytest.raises(BundleOutdatedError):
        administration.source().read()


def test_an_older_version_of_another_key_is_another_counting(administration: Administration) -> None:
    administration.answer = administration.deployed(9)
    source = administration.source()
    source.read()
    administration.answer = administration.deployed(1, private=administration.new_key("second"))

    assert source.read().files() == FILES


@pytest.mark.parametrize("status", [204, 206, 301, 302, 304, 307, 308, 401, 404, 500])
def test_every_other_status_is_no_bundle(status: int, administration: Administration) -> None:
    """A redirect too: whoever answers would decide whom we trust. And a 304 to a question without a condition."""
    good = administration.answer
    administration.answer = httpx.Response(
        status, content=good.content, headers={**good.headers, "Location": "https://elsewhere.example/"}
    )

    with pytest.raises(BundleUnreadableError, match=str(status)):
        administration.source().read()
    assert [request.url.host for request in administration.asked] == ["policies.example"]


def test_a_signed_document_that_is_no_bundle_is_refused(administration: Administration) -> None:
    administration.answer = administration.deployed(2, {"README.md": "no policies"})

    with pytest.raises(BundleInvalidError):
        administration.source().read()


def test_a_refused_bundle_does_not_count_as_the_last_version(administration: Administration) -> None:
    administration.answer = administration.deployed(5, {"README.md": "no policies"})
    source = administration.source()
    with pytest.raises(BundleInvalidError):
        source.read()
    administration.answer = administration.deployed(4)

    assert source.read().files() == FILES


class Endless(httpx.SyncByteStream):
    """A body that never ends, in pieces of a megabyte, or in drops with a while between."""

    def __init__(self, piece: bytes, wait: float) -> None:
        self._piece = piece
        self._wait = wait
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            time.sleep(self._wait)
            self.sent += len(self._piece)
            yield self._piece


def test_a_body_without_an_end_is_given_up_at_the_limit(administration: Administration) -> None:
    endless = Endless(b" " * 1024 * 1024, 0)
    administration.answer = httpx.Response(200, stream=endless)

    with pytest.raises(BundleUnreadableError, match="more than"):
        administration.source().read()
    assert endless.sent <= MAX_BYTES + 1024 * 1024


def test_a_slow_drip_is_given_up_in_time(administration: Administration) -> None:
    """Each piece comes within the timeout, and the whole would never come."""
    administration.answer = httpx.Response(200, stream=Endless(b" ", 0.05))

    with pytest.raises(BundleUnreadableError, match="too long"):
        administration.source(timedelta(seconds=0.2)).read()


def test_where_nobody_listens_there_is_no_bundle(administration: Administration) -> None:
    source = HttpBundleSource(
        "http://127.0.0.1:1/",
        keys=administration.keys,
        versions=VersionFile(administration.folder),
        replica="pod-7",
        timeout=timedelta(seconds=2),
    )

    with pytest.raises(BundleUnreadableError, match="ConnectError"):
        source.read()


@pytest.mark.parametrize(
    "address", ["https://policies.example/x", "http://127.0.0.1:8185/", "http://[::1]/", "http://localhost"]
)
def test_an_address_that_nobody_stands_before_is_taken(address: str) -> None:
    assert checked_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://policies.example/",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://127.0.0.1.example/",
        "http://localhost.example/",
        "https://name:word@policies.example/",
        "https:///bundle",
        "file:///etc/passwd",
        "ftp://policies.example/",
        "policies.example",
        "",
    ],
)
def test_an_address_where_anybody_can_put_himself_between_is_refused(address: str) -> None:
    with pytest.raises(AddressRefusedError):
        checked_address(address)


def test_every_refusal_is_one_of_a_bundle(administration: Administration) -> None:
    """The keeper knows these, and keeps what is in force."""
    for status, content in ((200, b""), (200, b"{}"), (500, b"")):
        administration.answer = httpx.Response(status, content=content)
        with pytest.raises(BundleError):
            administration.source().read()


def test_fetches_share_what_only_a_collection_would_free(tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = HttpBundleSource(
            f"http://127.0.0.1:{server.server_port}/v1/bundle",
            keys=tmp_path,
            versions=VersionFile(tmp_path),
            replica="pod-7",
            timeout=timedelta(seconds=5),
        )
        # A sidecar collects once in 50,000 objects, and a context of TLS for each fetch would be 600 kB each.
        gc.disable()
        try:
            before = _tls_contexts()
            for _ in range(3):
                with pytest.raises(BundleUnreadableError, match="answered 501"):
                    source.read()
            after = _tls_contexts()
        finally:
            gc.enable()
            server.shutdown()

    assert after == before


def _tls_contexts() -> int:
    return sum(isinstance(one, ssl.SSLContext) for one in gc.get_objects())
