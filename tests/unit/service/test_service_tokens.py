"""Which tokens prove a caller, and which do not."""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm

from aeterna.service.adapters.jwks import KeySet
from aeterna.service.adapters.jwt import JwksTokenVerifier
from aeterna.service.caller import TenantId, parse_tenant
from aeterna.service.errors import KeysUnavailableError, TenantMissingError, TokenInvalidError
from aeterna.service.testing import SigningKey
from fixtures.fix_tokens import NOW

if TYPE_CHECKING:
    from collections.abc import Mapping

MOMENT = int(NOW)
CLAIMS: Mapping[str, object] = {
    "iss": "urn:aeterna:test",
    "aud": "aeterna",
    "iat": MOMENT,
    "exp": MOMENT + 300,
    "sub": "ada",
    "tenant": "acme",
}


def test_a_token_becomes_a_caller_of_its_tenant(verifier: JwksTokenVerifier, signing_key: SigningKey) -> None:
    token = signing_key.token("acme", subject="bot-7", roles=["writer", "unheard-of"], kind="agent", now=NOW, jti="t-1")

    caller = verifier.verify(token)

    assert (caller.tenant, caller.subject, caller.kind, caller.token_id) == ("acme", "bot-7", "Agent", "t-1")
    assert caller.roles == {"writer", "unheard-of"}


def test_a_token_without_roles_and_kind_is_a_user_without_roles(
    verifier: JwksTokenVerifier, signing_key: SigningKey
) -> None:
    caller = verifier.verify(signing_key.token(now=NOW, without=["roles", "kind"]))

    assert (caller.kind, caller.roles) == ("User", frozenset())


# The claims that differ from those of a good token; None leaves one out.
REFUSED: list[tuple[str, dict[str, object]]] = [
    ("it has expired", {"exp": MOMENT - 31}),
    ("it has no end", {"exp": None}),
    ("its end is a text", {"exp": str(MOMENT + 300)}),
    ("its end is a truth value", {"exp": True}),
    ("its end is not a number", {"exp": float("nan")}),
    ("its end is a number that no clock reaches", {"exp": 10**400}),
    ("it was issued in the future", {"iat": MOMENT + 31}),
    ("it does not say when it was issued", {"iat": None}),
    ("it is not valid yet", {"nbf": MOMENT + 31}),
    ("its beginning is a text", {"nbf": "soon"}),
    ("it is of another issuer", {"iss": "urn:aeterna:other"}),
    ("it has no issuer", {"iss": None}),
    ("it is for another audience", {"aud": "others"}),
    ("it is for nobody", {"aud": []}),
    ("it has no audience", {"aud": None}),
    ("it has no subject", {"sub": None}),
    ("its subject is empty", {"sub": ""}),
    ("its subject is too long", {"sub": "x" * 256}),
    ("its subject has a line break", {"sub": "ada\nroot"}),
    ("its roles are a text", {"roles": "admin"}),
    ("its roles are numbers", {"roles": [1]}),
    ("a role is no text that can be written", {"roles": ["admin", "\ud800"]}),
    ("it has too many roles", {"roles": [f"r{number}" for number in range(101)]}),
    ("it is of an unknown kind", {"kind": "robot"}),
]


@pytest.mark.parametrize("change", [change for _, change in REFUSED], ids=[name for name, _ in REFUSED])
def test_a_token_proves_nobody_when(
    change: dict[str, object], verifier: JwksTokenVerifier, signing_key: SigningKey
) -> None:
    kept = {name: value for name, value in {**CLAIMS, **change}.items() if value is not None}
    token = jwt.encode(kept, signing_key.private, algorithm="ES256", headers={"kid": signing_key.key_id})

    with pytest.raises(TokenInvalidError):
        verifier.verify(token)


@pytest.mark.parametrize(
    "tenant", ["", "Acme", "a_b", "-acme", "a" * 64, "acme\n", "*", "../acme", "tenänt", 7, ["acme"]]
)
def test_a_tenant_that_is_no_name_is_no_tenant(
    tenant: object, verifier: JwksTokenVerifier, signing_key: SigningKey
) -> None:
    token = jwt.encode({**CLAIMS, "tenant": tenant}, signing_key.private, "ES256", headers={"kid": signing_key.key_id})

    with pytest.raises(TenantMissingError):
        verifier.verify(token)


def test_a_token_without_a_tenant_is_refused_and_not_given_a_default(
    verifier: JwksTokenVerifier, signing_key: SigningKey
) -> None:
    with pytest.raises(TenantMissingError):
        verifier.verify(signing_key.token(now=NOW, without=["tenant"]))


def test_the_claim_that_names_the_tenant_can_be_chosen(signing_key: SigningKey) -> None:
    """Identity providers prefix custom claims with an address."""
    verifier = JwksTokenVerifier(
        KeySet(signing_key.jwks, clock=lambda: NOW),
        issuer=signing_key.issuer,
        audience="aeterna",
        tenant_claim="https://aeterna.example/tenant",
        clock=lambda: NOW,
    )
    token = signing_key.token(now=NOW, without=["tenant"], **{"https://aeterna.example/tenant": "globex"})

    assert verifier.verify(token).tenant == "globex"


def test_clocks_may_differ_by_the_leeway(verifier: JwksTokenVerifier, signing_key: SigningKey) -> None:
    assert verifier.verify(signing_key.token(now=NOW, exp=MOMENT - 29, iat=MOMENT + 29)).tenant == "acme"


def test_a_token_of_another_key_under_a_known_id_proves_nobody(verifier: JwksTokenVerifier) -> None:
    forged = SigningKey(private=ec.generate_private_key(ec.SECP256R1())).token(now=NOW)

    with pytest.raises(TokenInvalidError):
        verifier.verify(forged)


def test_an_unsigned_token_proves_nobody(verifier: JwksTokenVerifier, signing_key: SigningKey) -> None:
    token = jwt.encode(dict(CLAIMS), "", algorithm="none", headers={"kid": signing_key.key_id})

    with pytest.raises(TokenInvalidError):
        verifier.verify(token)


def test_a_public_key_is_no_shared_secret(verifier: JwksTokenVerifier, signing_key: SigningKey) -> None:
    """The classic confusion: a token signed by HMAC with the published key as the secret."""
    header = json.dumps({"alg": "HS256", "kid": signing_key.key_id}).encode()
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (header, json.dumps(CLAIMS).encode()))
    # By hand, because PyJWT will not even mint such a token.
    signature = hmac.digest(json.dumps(signing_key.jwk()).encode(), signed, "sha256")
    token = f"{signed.decode()}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

    with pytest.raises(TokenInvalidError):
        verifier.verify(token)


def test_a_critical_header_that_we_do_not_know_is_refused(verifier: JwksTokenVerifier, signing_key: SigningKey) -> None:
    """RFC 7515, 4.1.11."""
    headers = {"kid": signing_key.key_id, "crit": ["exp"], "exp": 1}
    token = jwt.encode(dict(CLAIMS), signing_key.private, "ES256", headers=headers)

    with pytest.raises(TokenInvalidError):
        verifier.verify(token)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_that_was_touched_proves_nobody(
    part: int, verifier: JwksTokenVerifier, signing_key: SigningKey
) -> None:
    parts = signing_key.token(now=NOW).split(".")
    decoded = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    decoded[len(decoded) // 2] ^= 1
    parts[part] = base64.urlsafe_b64encode(decoded).decode().rstrip("=")

    with pytest.raises(TokenInvalidError):
        verifier.verify(".".join(parts))


def _verifier_of(jwk: Mapping[str, object]) -> JwksTokenVerifier:
    keys = KeySet(lambda: json.dumps({"keys": [jwk]}).encode(), clock=lambda: NOW)
    return JwksTokenVerifier(keys, issuer="urn:aeterna:test", audience="aeterna", clock=lambda: NOW)


def test_rsa_and_edwards_keys_prove_callers_too() -> None:
    rsa_key, edwards_key = rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()
    cases = [
        (jwt.encode(dict(CLAIMS), rsa_key, "RS256"), RSAAlgorithm.to_jwk(rsa_key.public_key(), as_dict=True)),
        (jwt.encode(dict(CLAIMS), edwards_key, "EdDSA"), OKPAlgorithm.to_jwk(edwards_key.public_key(), as_dict=True)),
    ]

    callers = [_verifier_of(dict(jwk)).verify(token) for token, jwk in cases]

    assert [caller.subject for caller in callers] == ["ada", "ada"]


def test_a_weak_rsa_key_proves_nobody() -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that it is weak is the point
    jwk = RSAAlgorithm.to_jwk(weak.public_key(), as_dict=True)
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode(dict(CLAIMS), weak, "RS256")

    with pytest.raises(KeysUnavailableError):
        _verifier_of(dict(jwk)).verify(token)


def test_a_key_for_encryption_proves_nobody(signing_key: SigningKey) -> None:
    with pytest.raises(KeysUnavailableError):
        _verifier_of(signing_key.jwk() | {"use": "enc"}).verify(signing_key.token(now=NOW))


@given(st.text(max_size=200))
def test_any_text_is_refused_as_a_token_and_never_crashes(text: str) -> None:
    verifier = _verifier_of({})

    with pytest.raises(TokenInvalidError):
        verifier.verify(text)


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True))
def test_every_dns_label_like_name_can_be_a_tenant(name: str) -> None:
    assert parse_tenant(name) == TenantId(name)
