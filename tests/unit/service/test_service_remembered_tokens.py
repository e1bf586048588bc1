"""Tokens that were verified are known again, for exactly as long as verifying them would succeed."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient

from aeterna.service.access import caller
from aeterna.service.adapters.jwks import KeySet
from aeterna.service.adapters.jwt import JwksTokenVerifier
from aeterna.service.caller import Caller
from aeterna.service.testing import SigningKey
from fixtures.fix_tokens import NOW


@dataclass
class Issuer:
    """Publishes keys that can be withdrawn, and has a clock."""

    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey()])
    now: float = NOW

    def verifier(self) -> JwksTokenVerifier:
        """Return a verifier that believes this issuer."""
        keys = KeySet(
            lambda: json.dumps({"keys": [key.jwk() for key in self.keys]}).encode(),
            fresh_for=timedelta(seconds=60),
            clock=lambda: self.now,
        )
        return JwksTokenVerifier(keys, issuer=self.keys[0].issuer, audience="aeterna", clock=lambda: self.now)

    def token(self, *, life: int = 300) -> str:
        """Return a token of now."""
        return self.keys[0].token("acme", subject="ada", now=self.now, exp=int(self.now) + life)


def test_a_token_is_known_again_once_it_was_verified() -> None:
    issuer = Issuer()
    verifier, token = issuer.verifier(), issuer.token()
    before = verifier.remembered(token)
    proven = verifier.verify(token)

    known = verifier.remembered(token)

    assert before is None
    assert known == proven


def test_a_token_that_expired_is_not_known_again() -> None:
    issuer = Issuer()
    verifier, token = issuer.verifier(), issuer.token(life=20)
    verifier.verify(token)
    issuer.now += 51

    assert verifier.remembered(token) is None


def test_a_clock_that_was_set_back_makes_no_token_valid_too_early() -> None:
    issuer = Issuer()
    verifier, token = issuer.verifier(), issuer.token()
    verifier.verify(token)
    issuer.now -= 31

    assert verifier.remembered(token) is None


def test_a_token_whose_keys_want_fetching_is_verified_again() -> None:
    issuer = Issuer()
    verifier, token = issuer.verifier(), issuer.token()
    verifier.verify(token)
    issuer.now += 61

    assert verifier.remembered(token) is None


def test_a_token_of_a_key_that_was_withdrawn_is_not_known_again() -> None:
    issuer = Issuer()
    verifier, token = issuer.verifier(), issuer.token()
    verifier.verify(token)
    issuer.keys = [SigningKey()]
    issuer.now += 61
    verifier.verify(issuer.token())

    assert verifier.remembered(token) is None


def test_a_token_that_was_touched_is_not_known_again() -> None:
    issuer = Issuer()
    verifier, token = issuer.verifier(), issuer.token()
    verifier.verify(token)

    assert verifier.remembered(f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}") is None


def test_only_so_many_tokens_are_remembered() -> None:
    issuer = Issuer()
    verifier = issuer.verifier()
    tokens = [issuer.token(life=300 + n) for n in range(1025)]
    for token in tokens:
        verifier.verify(token)

    known = [verifier.remembered(token) is not None for token in tokens]

    assert known == [False, *[True] * 1024]


@pytest.mark.anyio
async def test_a_request_with_a_known_token_does_not_verify_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer()
    verifier, token = issuer.verifier(), issuer.token()
    proven = verifier.verify(token)
    app = FastAPI()
    app.state.verifier = verifier

    @app.get("/who")
    async def who(whoever: Annotated[Caller, Depends(caller)]) -> str:
        return whoever.subject

    monkeypatch.setattr(verifier, "verify", None)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://service") as client:
        answer = await client.get("/who", headers={"Authorization": f"Bearer {token}"})

    assert answer.json() == proven.subject
