"""The local key pair and its tokens, as the services' own verifier reads them."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.cli.errors import StateUnusableError
from aeterna.cli.local.state_dir import StateDir
from aeterna.cli.local.tokens import AUDIENCE, ISSUER, LIFETIME, Claims, Signer, local_token
from aeterna.service.adapters.jwt import JwksTokenVerifier
from aeterna.service.errors import TokenInvalidError

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC)


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    folder = StateDir(tmp_path / "state")
    folder.make()
    return folder


def verifier(state: StateDir) -> JwksTokenVerifier:
    return JwksTokenVerifier(
        str(state.jwks), issuer=ISSUER, audience=AUDIENCE, tenant_claim="tenant", leeway=timedelta(0)
    )


def test_a_token_tells_the_service_who_calls(state: StateDir) -> None:
    claims = Claims(tenant="acme", subject="agent-7", roles=["writer"], kind="agent")

    caller = verifier(state_with_key(state)).verify(Signer.of(state).token(claims, NOW))

    assert (caller.tenant, caller.subject, caller.kind, caller.roles) == ("acme", "agent-7", "Agent", {"writer"})


def test_an_expired_token_is_refused(state: StateDir) -> None:
    claims = Claims(tenant="acme", subject="a", roles=[], lifetime=timedelta(seconds=-1))

    with pytest.raises(TokenInvalidError):
        verifier(state_with_key(state)).verify(Signer.of(state).token(claims, NOW))


def test_the_key_stays_the_same(state: StateDir) -> None:
    assert Signer.of(state).key_id == Signer.of(state).key_id


def test_the_key_set_holds_nothing_private(state: StateDir) -> None:
    (key,) = Signer.of(state).jwks()["keys"]

    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_the_local_token_is_kept_until_its_last_day(state: StateDir) -> None:
    signer = Signer.of(state)
    first = local_token(state, signer, NOW)
    later = local_token(state, signer, NOW + LIFETIME - timedelta(days=2))
    renewed = local_token(state, signer, NOW + LIFETIME - timedelta(hours=2))

    assert first == later != renewed


def test_a_token_of_another_key_is_replaced(state: StateDir) -> None:
    first = local_token(state, Signer.of(state), NOW)
    state.key.unlink()

    assert local_token(state, Signer.of(state), NOW) != first


def test_secrets_are_files_of_their_owner(state: StateDir) -> None:
    local_token(state, Signer.of(state), NOW)

    assert [stat.S_IMODE(path.stat().st_mode) for path in (state.root, state.key, state.token)] == [0o700, 0o600, 0o600]


def test_a_key_file_without_a_key_says_how_to_mend_it(state: StateDir) -> None:
    state.key.write_text("not a key")

    with pytest.raises(StateUnusableError, match="does not hold a private key") as raised:
        Signer.of(state)

    assert "remove" in raised.value.hint


def test_a_signer_does_not_show_its_key(state: StateDir) -> None:
    signer = Signer.of(state)

    assert repr(signer) == f"Signer({signer.key_id!r})"


def state_with_key(state: StateDir) -> StateDir:
    Signer.of(state)
    return state
