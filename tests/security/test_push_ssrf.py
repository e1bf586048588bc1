"""Attacks by the address of a receiver: the thread store is not to be sent where its callers may not go."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from aeterna.threads.adapters.push_http import GuardedBackend, HttpCourier, PushLimits, tls_context
from aeterna.threads.adapters.push_signature import NotificationSigner
from aeterna.threads.adapters.resolver import SystemResolver
from aeterna.threads.domain.addresses import Reach, reach_of
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.push import Attempt, ConfigId, Notification, PushSecrets, Verdict
from aeterna.threads.domain.push_url import PushRules, parse_push_url
from aeterna.threads.errors import PushUrlRefusedError
from fixtures.push_receiver import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from aeterna.threads.adapters.resolver import Answer as AddressAnswer
    from fixtures.push_receiver import Receiver, Receivers

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DEFAULT = PushRules()

REFUSED = {
    "plain http": "http://hooks.example/x",
    "a file": "file:///etc/passwd",
    "gopher": "gopher://hooks.example:443/_",
    "no scheme": "//hooks.example/x",
    "no host": "https:///x",
    "loopback": "https://127.0.0.1/x",
    "loopback as one decimal number": "https://2130706433/x",
    "loopback in hexadecimal": "https://0x7f000001/x",
    "loopback in octal": "https://0177.0.0.1/x",
    "loopback with leading zeros": "https://127.000.000.001/x",
    "loopback of two parts": "https://127.1/x",
    "hexadecimal as the last label": "https://127.0.0.0x1/x",
    "a trailing dot after an address": "https://127.0.0.1./x",
    "this network": "https://0.0.0.0/x",
    "private": "https://10.1.2.3/x",
    "private 172": "https://172.31.255.1/x",
    "private 192": "https://192.168.0.1/x",
    "shared space": "https://100.64.0.1/x",
    "the metadata service": "https://169.254.169.254/latest/meta-data",
    "Azure's wire server": "https://168.63.129.16/x",
    "multicast": "https://224.0.0.1/x",
    "reserved": "https://240.0.0.1/x",
    "broadcast": "https://255.255.255.255/x",
    "IPv6 loopback": "https://[::1]/x",
    "IPv6 unspecified": "https://[::]/x",
    "IPv4 mapped into IPv6": "https://[::ffff:169.254.169.254]/x",
    "IPv4 mapped, in hexadecimal": "https://[::ffff:7f00:1]/x",
    "IPv4-compatible": "https://[::127.0.0.1]/x",
    "6to4": "https://[2002:7f00:1::]/x",
    "6to4 of a public address": "https://[2002:808:808::]/x",
    "Teredo": "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/x",
    "NAT64 of a private address": "https://[64:ff9b::a01:203]/x",
    "local NAT64": "https://[64:ff9b:1::808:808]/x",
    "unique local": "https://[fd00::1]/x",
    "IPv6 metadata": "https://[fd00:ec2::254]/x",
    "link-local": "https://[fe80::1]/x",
    "a zone": "https://[fe80::1%25eth0]/x",
    "a zone on a public address": "https://[2606:4700::1%251]/x",
    "site-local": "https://[fec0::1]/x",
    "IPv6 multicast": "https://[ff02::1]/x",
    "a user": "https://user@hooks.example/x",
    "a user that looks like the host": "https://hooks.example@10.0.0.1/x",
    "a password": "https://user:pass@hooks.example/x",
    "a backslash": "https://hooks.example\\@10.0.0.1/x",
    "a fragment": "https://hooks.example/x#y",
    "a port that is not allowed": "https://hooks.example:22/x",
    "port zero": "https://hooks.example:0/x",
    "a port out of range": "https://hooks.example:65536/x",
    "a colon without a port": "https://hooks.example:/x",
    "text after the brackets": "https://[2606:4700::1].example/x",
    "full-width digits": "https://\uff11\uff12\uff17.0.0.1/x",
    "an enclosed letter": "https://\u24dbocalhost/x",
    "an ideographic stop": "https://127\u30020\u30020\u30021/x",
    "an encoded host": "https://%31%32%37.0.0.1/x",
    "a line break": "https://hooks.example/x\r\nHost: other",
    "a tab": "https://hooks.exam\tple/x",
    "a space": " https://hooks.example/x",
    "a null": "https://hooks.example\x00.evil/x",
    "an empty label": "https://hooks..example/x",
    "too long": "https://hooks.example/" + "x" * 3000,
}


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
def test_an_address_that_leads_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(PushUrlRefusedError):
        parse_push_url(url, DEFAULT)


TAKEN = {
    "a name": ("https://hooks.example/x?y=1", "hooks.example", 443, "/x?y=1"),
    "a name in capitals": ("https://Hooks.Example/X", "hooks.example", 443, "/X"),
    "a name with a final dot": ("https://hooks.example./x", "hooks.example", 443, "/x"),
    "another port": ("https://hooks.example:8443", "hooks.example", 8443, "/"),
    "a name in punycode": ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
    "a public address": ("https://8.8.8.8/x", "8.8.8.8", 443, "/x"),
    "a public IPv6 address": ("https://[2606:4700::1111]/x", "[2606:4700::1111]", 443, "/x"),
}


@pytest.mark.parametrize(("url", "host", "port", "target"), TAKEN.values(), ids=TAKEN)
def test_a_public_address_is_taken_in_its_one_spelling(url: str, host: str, port: int, target: str) -> None:
    parsed = parse_push_url(url, DEFAULT)

    assert (parsed.host, parsed.port, parsed.target, parsed.secure) == (host, port, target, True)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "168.63.129.16",
        "fd00:ec2::254",
        "fe80::1",
        "224.0.0.1",
        "0.0.0.0",  # noqa: S104 - not bound to, but refused
        "fe80::1%2",
        "nonsense",
    ],
)
def test_metadata_and_links_are_for_nobody_even_of_a_named_host(address: str) -> None:
    """An operator names a host of the cluster; whoever controls that name's DNS must not reach the machine's role."""
    rules = PushRules(private=frozenset({"receiver.internal"}))

    assert reach_of(address) is Reach.FORBIDDEN
    assert not rules.admits(address, "receiver.internal", 443)


@pytest.mark.parametrize("address", ["10.0.0.7", "127.0.0.1", "::1", "fd12::1", "100.64.3.4"])
def test_a_private_address_is_for_named_hosts_only(address: str) -> None:
    rules = PushRules(private=frozenset({"receiver.internal"}))

    assert rules.admits(address, "receiver.internal", 443)
    assert not rules.admits(address, "other.internal", 443)


def answers(*addresses: str) -> list[AddressAnswer]:
    """Return what getaddrinfo answers for a name of these addresses."""
    return [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 443, 0, 0))
        if ":" in address
        else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
        for address in addresses
    ]


class Names:
    """A name server in the tester's hand: each question has the next of the scripted answers, and the last for ever."""

    def __init__(self, *script: list[AddressAnswer]) -> None:
        self._script = list(script)
        self.asked = 0

    async def lookup(self, _host: str, _port: int) -> list[AddressAnswer]:
        """Answer as getaddrinfo does."""
        self.asked += 1
        return self._script[min(self.asked, len(self._script)) - 1]


class Couriers:
    """Makes couriers for one test."""

    def __init__(self) -> None:
        self.made: list[HttpCourier] = []
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._signer = NotificationSigner.parse(pem.decode(), issuer="https://threads.test")

    def make(
        self, names: Names, rules: PushRules, *, ca: str | None = None, limits: PushLimits | None = None
    ) -> HttpCourier:
        """Return a courier that asks these names."""
        network = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        backend = GuardedBackend(SystemResolver(names.lookup), rules, network)
        courier = HttpCourier(self._signer, backend, tls_context(ca), limits or PushLimits())
        self.made.append(courier)
        return courier


@pytest.fixture
async def couriers() -> AsyncGenerator[Couriers]:
    """Return what makes couriers; all of them are closed after the test."""
    made = Couriers()
    yield made
    for courier in made.made:
        await courier.aclose()


def addressed_to(url: str, rules: PushRules) -> Notification:
    """Return a notification for an address."""
    return Notification(
        notification_id="n-1",
        url=parse_push_url(url, rules),
        task_id=ThreadId("task-1"),
        config_id=ConfigId("phone"),
        seq=2,
        body=b"{}",
        scheme=None,
        secrets=PushSecrets(token="canary-token"),
    )


def named(receiver: Receiver) -> tuple[str, PushRules]:
    """Return a name for a receiver on the loopback address, and rules that let notifications go there."""
    port = receiver.place.rsplit(":", 1)[1]
    return f"http://receiver.test:{port}/hook", PushRules(private=frozenset({f"receiver.test:{port}"}), http=True)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
)
async def test_a_name_of_a_private_address_is_not_connected_to(couriers: Couriers, address: str) -> None:
    courier = couriers.make(Names(answers(address)), DEFAULT)

    attempt = await courier.deliver(addressed_to("https://hooks.example/x", DEFAULT), at=NOW)

    assert attempt == Attempt(verdict=Verdict.NEVER, reached=True, error="its address is not public")


async def test_one_private_address_among_public_ones_is_enough_to_refuse(couriers: Couriers) -> None:
    """Else the connection's own order of preference would decide."""
    courier = couriers.make(Names(answers("8.8.8.8", "10.0.0.1")), DEFAULT)

    attempt = await courier.deliver(addressed_to("https://hooks.example/x", DEFAULT), at=NOW)

    assert attempt.verdict is Verdict.NEVER


async def test_a_name_that_is_bound_anew_after_registration_is_refused_at_delivery(
    couriers: Couriers, receivers: Receivers
) -> None:
    receiver = receivers()
    port = int(receiver.place.rsplit(":", 1)[1])
    # Public when it was registered, and the loopback address of a service of ours by now. It is not a named host.
    rules = PushRules(ports=frozenset({port}), private=frozenset({"other.test"}), http=True)
    names = Names(answers("8.8.8.8"), answers("127.0.0.1"))
    assert await SystemResolver(names.lookup).resolve("hooks.example", port) == ("8.8.8.8",)
    courier = couriers.make(names, rules)

    attempt = await courier.deliver(addressed_to(f"https://hooks.example:{port}/x", rules), at=NOW)

    assert attempt.verdict is Verdict.NEVER
    assert receiver.received == []


async def test_the_connection_goes_to_the_address_that_was_looked_at(couriers: Couriers, receivers: Receivers) -> None:
    """The name is asked once: a second answer, which a rebinding server would change, is never asked for."""
    receiver = receivers()
    url, rules = named(receiver)
    names = Names(answers("127.0.0.1"), answers("169.254.169.254"))
    courier = couriers.make(names, rules)

    attempt = await courier.deliver(addressed_to(url, rules), at=NOW)

    assert (attempt.verdict, names.asked) == (Verdict.DELIVERED, 1)
    assert receiver.received[0].headers["Host"] == url.split("/")[2]


async def test_a_redirect_is_not_followed(couriers: Couriers, receivers: Receivers) -> None:
    inner = receivers()
    outer = receivers(lambda _received, _count: Answer(status=307, headers={"Location": inner.url()}))
    url, rules = named(outer)

    attempt = await couriers.make(Names(answers("127.0.0.1")), rules).deliver(addressed_to(url, rules), at=NOW)

    assert attempt.verdict is Verdict.NEVER
    assert inner.received == []


BAD_ANSWERS = {
    "garbage": b"\x00\xff not http at all\r\n\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000,
    "no end of the head": b"HTTP/1.1 200 OK\r\n",
}


@pytest.mark.parametrize("raw", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
async def test_an_answer_that_is_not_http_is_a_failure_to_try_again(
    couriers: Couriers, receivers: Receivers, raw: bytes
) -> None:
    receiver = receivers(lambda _received, _count: Answer(raw=raw))
    url, rules = named(receiver)
    limits = PushLimits(total=timedelta(seconds=5))

    attempt = await couriers.make(Names(answers("127.0.0.1")), rules, limits=limits).deliver(
        addressed_to(url, rules), at=NOW
    )

    assert attempt.verdict is Verdict.LATER


async def test_a_huge_answer_is_not_read(couriers: Couriers, receivers: Receivers) -> None:
    receiver = receivers(lambda _received, _count: Answer(body=b"x" * 50_000_000))
    url, rules = named(receiver)

    attempt = await couriers.make(Names(answers("127.0.0.1")), rules).deliver(addressed_to(url, rules), at=NOW)

    assert attempt.verdict is Verdict.DELIVERED


async def test_a_receiver_that_drips_is_given_up_in_time(couriers: Couriers) -> None:
    """Each byte would renew a timeout that counts from the last one."""
    given_up = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read(100)
            while not writer.is_closing():
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        given_up.set()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        rules = PushRules(private=frozenset({f"receiver.test:{port}"}), http=True)
        limits = PushLimits(total=timedelta(seconds=0.4))
        courier = couriers.make(Names(answers("127.0.0.1")), rules, limits=limits)

        attempt = await courier.deliver(addressed_to(f"http://receiver.test:{port}/", rules), at=NOW)

        await given_up.wait()
    assert attempt == Attempt(verdict=Verdict.LATER, reached=False, error="no answer within 0.4 s")


@pytest.fixture
def certificate(tmp_path: Path) -> Callable[[str], tuple[Path, ssl.SSLContext]]:
    """Return what makes a certificate of a name: its file, and a server's context with it."""

    def make(name: str) -> tuple[Path, ssl.SSLContext]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        start = datetime.now(UTC) - timedelta(hours=1)
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        shown, both = tmp_path / f"{name}.pem", tmp_path / f"{name}-both.pem"
        shown.write_bytes(built.public_bytes(Encoding.PEM))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        both.write_bytes(private + shown.read_bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return shown, context

    return make


@pytest.mark.parametrize(("name", "verdict"), [("receiver.test", Verdict.DELIVERED), ("other.test", Verdict.LATER)])
async def test_the_certificate_is_checked_for_the_name_and_not_for_the_address(
    couriers: Couriers, certificate: Callable[[str], tuple[Path, ssl.SSLContext]], name: str, verdict: Verdict
) -> None:
    shown, context = certificate(name)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        rules = PushRules(private=frozenset({f"receiver.test:{port}"}))
        courier = couriers.make(Names(answers("127.0.0.1")), rules, ca=str(shown))

        attempt = await courier.deliver(addressed_to(f"https://receiver.test:{port}/", rules), at=NOW)

    assert attempt.verdict is verdict
