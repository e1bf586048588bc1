"""Signatures of notifications: what the store signs a receiver can believe, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from aeterna.a2a.adapters.notifications import NotificationVerifier
from aeterna.a2a.errors import NotificationInvalidError
from aeterna.service.errors import KeysUnavailableError, SettingsInvalidError
from aeterna.threads.adapters.push_signature import NotificationSigner
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.push import ConfigId, Notification, PushSecrets
from aeterna.threads.domain.push_url import PushRules, parse_push_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ISSUER, URL = "https://threads.example", "https://hooks.example/x"
TOKEN = "t-1"
NOW = 1_800_000_000.0
AT = datetime.fromtimestamp(NOW, UTC)
BODY = b'{"statusUpdate":{"taskId":"task-1"}}'


def pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """Return a private key as a file holds it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: Ed25519PrivateKey) -> str:
    """Return the public half as a file holds it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


ED25519 = Ed25519PrivateKey.generate()
P256 = ec.generate_private_key(ec.SECP256R1())

NOTIFICATION = Notification(
    notification_id="n-1",
    url=parse_push_url(URL, PushRules()),
    task_id=ThreadId("task-1"),
    config_id=ConfigId("phone"),
    seq=7,
    body=BODY,
    scheme=None,
    secrets=PushSecrets(token="t-1"),
)


def headers(signer: NotificationSigner, notification: Notification = NOTIFICATION) -> dict[str, str]:
    """Return what comes with a notification."""
    return {"aeterna-signature": signer.sign(notification, at=AT), "x-a2a-notification-token": "t-1"}


@pytest.fixture
def verifier(tmp_path: Path) -> Callable[..., NotificationVerifier]:
    """Return what makes a receiver's verifier that knows the keys of a signer."""

    def make(
        signer: NotificationSigner, *, now: float = NOW, url: str = URL, token: str | None = TOKEN
    ) -> NotificationVerifier:
        file = tmp_path / "jwks.json"
        file.write_text(json.dumps(signer.jwks()))
        return NotificationVerifier(str(file), issuer=ISSUER, url=url, token=token, clock=lambda: now)

    return make


@pytest.mark.parametrize("key", [ED25519, P256], ids=["Ed25519", "P-256"])
def test_a_receiver_believes_what_the_store_signed(
    verifier: Callable[..., NotificationVerifier], key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey
) -> None:
    signer = NotificationSigner.parse(pem(key), issuer=ISSUER)

    verified = verifier(signer).verify(headers(signer), BODY)

    assert (verified.notification_id, verified.task_id, verified.config_id, verified.seq) == (
        "n-1",
        "task-1",
        "phone",
        7,
    )
    assert verified.response == json.loads(BODY)


def test_a_changed_body_is_refused(verifier: Callable[..., NotificationVerifier]) -> None:
    signer = NotificationSigner.parse(pem(ED25519), issuer=ISSUER)

    with pytest.raises(NotificationInvalidError, match="body"):
        verifier(signer).verify(headers(signer), BODY + b" ")


def test_a_notification_for_another_address_is_refused(verifier: Callable[..., NotificationVerifier]) -> None:
    """Else one receiver could pass on to another what it was sent."""
    signer = NotificationSigner.parse(pem(ED25519), issuer=ISSUER)

    with pytest.raises(NotificationInvalidError, match="InvalidAudience"):
        verifier(signer, url="https://other.example/x").verify(headers(signer), BODY)


@pytest.mark.parametrize("later", [-120.0, 3600.0], ids=["not yet signed", "signed an hour ago"])
def test_an_old_or_future_signature_is_refused(verifier: Callable[..., NotificationVerifier], later: float) -> None:
    signer = NotificationSigner.parse(pem(ED25519), issuer=ISSUER)

    with pytest.raises(NotificationInvalidError, match="another time"):
        verifier(signer, now=NOW + later).verify(headers(signer), BODY)


def test_a_key_that_is_not_the_stores_is_refused(verifier: Callable[..., NotificationVerifier]) -> None:
    store = NotificationSigner.parse(pem(ED25519), issuer=ISSUER)
    forger = NotificationSigner.parse(pem(Ed25519PrivateKey.generate()), issuer=ISSUER)

    with pytest.raises(NotificationInvalidError, match="nobody whom we know"):
        verifier(store).verify(headers(forger), BODY)


def test_a_known_key_id_on_a_foreign_signature_is_refused(verifier: Callable[..., NotificationVerifier]) -> None:
    store = NotificationSigner.parse(pem(ED25519), issuer=ISSUER)
    sent = headers(store)
    kid = jwt.get_unverified_header(sent["aeterna-signature"])["kid"]
    claims = jwt.decode(sent["aeterna-signature"], options={"verify_signature": False})
    forged = jwt.encode(
        claims, Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": kid, "typ": "a2a-notification+jwt"}
    )

    with pytest.raises(NotificationInvalidError, match="InvalidSignature"):
        verifier(store).verify({**sent, "aeterna-signature": forged}, BODY)


def test_a_token_of_another_kind_by_the_same_key_is_refused(verifier: Callable[..., NotificationVerifier]) -> None:
    store = NotificationSigner.parse(pem(ED25519), issuer=ISSUER)
    sent = headers(store)
    kid = jwt.get_unverified_header(sent["aeterna-signature"])["kid"]
    claims = jwt.decode(sent["aeterna-signature"], options={"verify_signature": False})
    other = jwt.encode(claims, ED25519, "EdDSA", headers={"kid": kid, "typ": "JWT"})

    with pytest.raises(NotificationInvalidError):
        verifier(store).verify({**sent, "aeterna-signature": other}, BODY)


def test_another_issuer_is_refused(verifier: Callable[..., NotificationVerifier]) -> None:
    other = NotificationSigner.parse(pem(ED25519), issuer="https://other.example")

    with pytest.raises(NotificationInvalidError, match="InvalidIssuer"):
        verifier(other).verify(headers(other), BODY)


@pytest.mark.parametrize("signature", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_not_a_signature_is_refused(verifier: Callable[..., NotificationVerifier], signature: str) -> None:
    signer = NotificationSigner.parse(pem(ED25519), issuer=ISSUER)

    with pytest.raises(NotificationInvalidError):
        verifier(signer).verify({**headers(signer), "aeterna-signature": signature}, BODY)


@pytest.mark.parametrize("token", ["", "t-2", "t-1\u00e9"])
def test_another_token_than_ours_is_refused(verifier: Callable[..., NotificationVerifier], token: str) -> None:
    signer = NotificationSigner.parse(pem(ED25519), issuer=ISSUER)

    with pytest.raises(NotificationInvalidError, match="token"):
        verifier(signer).verify({**headers(signer), "x-a2a-notification-token": token}, BODY)


def test_without_keys_nobody_can_say(tmp_path: Path) -> None:
    signer = NotificationSigner.parse(pem(ED25519), issuer=ISSUER)
    verifier = NotificationVerifier(str(tmp_path / "none.json"), issuer=ISSUER, url=URL)

    with pytest.raises(KeysUnavailableError):
        verifier.verify(headers(signer), BODY)


def test_the_next_key_is_published_before_it_signs(verifier: Callable[..., NotificationVerifier]) -> None:
    """So a receiver that has fetched the keys already believes the first notification of the new one."""
    following = Ed25519PrivateKey.generate()
    before = NotificationSigner.parse(pem(ED25519) + public_pem(following), issuer=ISSUER)
    after = NotificationSigner.parse(pem(following) + public_pem(ED25519), issuer=ISSUER)
    receiver = verifier(before)

    assert receiver.verify(headers(after), BODY).notification_id == "n-1"
    assert receiver.verify(headers(before), BODY).notification_id == "n-1"


def test_a_repeated_notification_has_the_same_id_and_a_signature_of_its_own_time() -> None:
    signer = NotificationSigner.parse(pem(ED25519), issuer=ISSUER)

    first = jwt.decode(signer.sign(NOTIFICATION, at=AT), options={"verify_signature": False})
    again = jwt.decode(
        signer.sign(replace(NOTIFICATION), at=datetime.fromtimestamp(NOW + 60, UTC)),
        options={"verify_signature": False},
    )

    assert first["jti"] == again["jti"]
    assert again["iat"] == first["iat"] + 60


def test_no_private_part_is_published() -> None:
    signer = NotificationSigner.parse(pem(ED25519) + pem(P256), issuer=ISSUER)

    document = json.dumps(signer.jwks())

    assert '"d"' not in document
    assert document.count('"kid"') == 2


RSA = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        public_pem(ED25519),
        pem(RSA),
        pem(ED25519) + pem(RSA),
        pem(ec.generate_private_key(ec.SECP384R1())),
    ],
    ids=["empty", "nonsense", "a public key first", "RSA", "RSA among them", "another curve"],
)
def test_a_file_without_a_usable_key_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(SettingsInvalidError) as refused:
        NotificationSigner.parse(text, issuer=ISSUER)

    assert "PUSH_SIGNING_KEY_FILE" in str(refused.value)
    assert "BEGIN" not in str(refused.value)
