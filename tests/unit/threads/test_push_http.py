"""What an answer of a receiver means, and what a receiver is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import httpcore
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from aeterna.threads.adapters.push_http import GuardedBackend, HttpCourier, PushLimits, tls_context
from aeterna.threads.adapters.push_signature import NotificationSigner
from aeterna.threads.adapters.resolver import SystemResolver
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.push import ConfigId, Notification, PushSecrets, Verdict
from aeterna.threads.domain.push_url import PushRules, parse_push_url
from fixtures.push_receiver import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from aeterna.threads.domain.push import Attempt
    from fixtures.push_receiver import Receiver, Receivers

pytestmark = pytest.mark.anyio

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
async def couriers() -> AsyncGenerator[Callable[[Receiver], HttpCourier]]:
    """Return what makes a courier that may send to a receiver."""
    made: list[HttpCourier] = []
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def make(receiver: Receiver) -> HttpCourier:
        network = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        backend = GuardedBackend(SystemResolver(), rules_for(receiver), network)
        signer = NotificationSigner.parse(pem, issuer="https://threads.test")
        courier = HttpCourier(signer, backend, tls_context(None), PushLimits())
        made.append(courier)
        return courier

    yield make
    for courier in made:
        await courier.aclose()


def rules_for(receiver: Receiver) -> PushRules:
    """Return rules that let notifications go to a receiver."""
    return PushRules(private=frozenset({receiver.place}), http=True)


async def delivered(courier: HttpCourier, receiver: Receiver, path: str = "/hook", **secrets: str) -> Attempt:
    """Send a notification."""
    notification = Notification(
        notification_id="n-1",
        url=parse_push_url(receiver.url(path), rules_for(receiver)),
        task_id=ThreadId("task-1"),
        config_id=ConfigId("phone"),
        seq=2,
        body=b'{"message":{}}',
        scheme="Bearer",
        secrets=PushSecrets(**secrets),
    )
    return await courier.deliver(notification, at=AT)


ANSWERS = {
    200: Verdict.DELIVERED,
    202: Verdict.DELIVERED,
    204: Verdict.DELIVERED,
    301: Verdict.NEVER,
    304: Verdict.NEVER,
    400: Verdict.NEVER,
    401: Verdict.NEVER,
    404: Verdict.NEVER,
    408: Verdict.LATER,
    410: Verdict.NEVER,
    425: Verdict.LATER,
    429: Verdict.LATER,
    500: Verdict.LATER,
    501: Verdict.LATER,
    503: Verdict.LATER,
    599: Verdict.LATER,
}


@pytest.mark.parametrize(("status", "verdict"), ANSWERS.items())
async def test_a_status_says_whether_to_come_again(
    couriers: Callable[[Receiver], HttpCourier], receivers: Receivers, status: int, verdict: Verdict
) -> None:
    receiver = receivers(lambda _received, _count: Answer(status=status))

    attempt = await delivered(couriers(receiver), receiver)

    assert (attempt.verdict, attempt.reached) == (verdict, True)


RETRY_AFTER = {
    "7": timedelta(seconds=7),
    "0": timedelta(0),
    "99999999999999999999": timedelta(seconds=10**9),
    "Mon, 23 Nov 2026 12:01:00 GMT": timedelta(minutes=1),
    "-5": None,
    "soon": None,
    "1.5": None,
    "": None,
}


@pytest.mark.parametrize(("value", "asked"), RETRY_AFTER.items())
async def test_a_receiver_may_ask_for_patience_in_seconds_or_by_a_date(
    couriers: Callable[[Receiver], HttpCourier], receivers: Receivers, value: str, asked: timedelta | None
) -> None:
    receiver = receivers(lambda _received, _count: Answer(status=503, headers={"Retry-After": value}))

    attempt = await delivered(couriers(receiver), receiver)

    assert attempt.retry_after == asked


async def test_what_the_receiver_says_is_not_repeated(
    couriers: Callable[[Receiver], HttpCourier], receivers: Receivers
) -> None:
    """An answer may hold what the caller could not read otherwise; dead letters and logs are no way around that."""
    receiver = receivers(lambda _received, _count: Answer(status=400, body=b"canary"))

    attempt = await delivered(couriers(receiver), receiver, token="t-1", credentials="c-1")

    assert attempt.error == "it answered 400"


async def test_a_receiver_is_sent_exactly_the_address_and_the_body_that_were_signed(
    couriers: Callable[[Receiver], HttpCourier], receivers: Receivers
) -> None:
    receiver = receivers()

    await delivered(couriers(receiver), receiver, "/a%20b/../c?x=%2F&y", token="t-1")

    (received,) = receiver.received
    assert (received.path, received.body) == ("/a%20b/../c?x=%2F&y", b'{"message":{}}')
    assert received.headers["Host"] == receiver.place
    assert "Authorization" not in received.headers


async def test_nobody_there_is_silence(couriers: Callable[[Receiver], HttpCourier], receivers: Receivers) -> None:
    receiver = receivers()
    courier = couriers(receiver)
    receiver.close()

    attempt = await delivered(courier, receiver)

    assert (attempt.verdict, attempt.reached, attempt.error) == (Verdict.LATER, False, "not reached (ConnectError)")
