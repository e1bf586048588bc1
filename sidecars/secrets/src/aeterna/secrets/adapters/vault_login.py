"""The ways into a Vault or an OpenBao: by a token of the pod's, by its AWS identity, by a wrapped token."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from aeterna.secrets.adapters.vault_source import VaultSession
from aeterna.secrets.domain.configuration import AwsLogin, JwtLogin, KubernetesLogin, WrappedLogin
from aeterna.secrets.errors import AccessDeniedError, BadRequestError, SecretAbsentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aeterna.secrets.adapters.vault_client import Answer, VaultClient
    from aeterna.secrets.domain.configuration import VaultLogin


class VaultEntrance:
    """Logs in as the configuration says; a token's file is read each time, since the kubelet renews it."""

    def __init__(self, client: VaultClient, login: VaultLogin, *, signed: Callable[[AwsLogin], Answer]) -> None:
        """Take whoever signs the question that AWS would answer by naming the pod's identity."""
        self._client = client
        self._login = login
        self._signed = signed
        self._unwrapped: bytes | None = None

    def log_in(self) -> VaultSession:
        """See `Entrance.log_in`."""
        try:
            return VaultSession(self._client, self._proven())
        except (BadRequestError, SecretAbsentError):
            # As Vault answers for a role or a mount that it does not have.
            raise AccessDeniedError("the login") from None

    def _proven(self) -> Answer:
        login = self._login
        match login:
            case KubernetesLogin() | JwtLogin():
                body: Answer = {"role": login.role, "jwt": _token(login.token_file)}
                return self._client.exchange("post", f"auth/{login.mount}/login", body)
            case AwsLogin():
                return self._client.exchange("post", f"auth/{login.mount}/login", self._signed(login))
            case WrappedLogin():
                return self._unwrap(login)

    def _unwrap(self, login: WrappedLogin) -> Answer:
        """Take out what was wrapped; whoever comes second learns that there was a first."""
        token = _token(login.token_file)
        digest = hashlib.sha256(token.encode()).digest()
        if digest == self._unwrapped:
            raise AccessDeniedError("a wrapped token to be used twice; put a new one into its file")
        try:
            looked = self._client.exchange("post", "sys/wrapping/lookup", {"token": token})
            found = looked.get("data")
            made_at = found.get("creation_path") if isinstance(found, dict) else None
            if made_at != login.creation_path:
                raise AccessDeniedError(f"a token that was not wrapped at {login.creation_path!r}")
            answer = self._client.holding(token).exchange("post", "sys/wrapping/unwrap")
        except BadRequestError:
            raise AccessDeniedError("a wrapped token that somebody unwrapped before, or that is too old") from None
        self._unwrapped = digest
        return answer


def _token(file: Path) -> str:
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as exc:
        raise AccessDeniedError(f"a login without a token: {file}: {type(exc).__name__}") from None
    if not text or not text.isprintable():
        raise AccessDeniedError(f"a login without a token: {file} has none")
    return text
