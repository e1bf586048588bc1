"""Where the bearer token comes from; whatever holds one never shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aeterna.client.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


class TokenSource(Protocol):
    """Gives the token to send now; asked before every request, because tokens expire and are replaced."""

    def token(self) -> str:
        """Return the bearer token, or raise `ConfigurationError`."""
        ...


class FixedToken:
    """One token for the life of the client."""

    def __init__(self, token: str) -> None:
        self._token = _checked(token, "the token")

    def __repr__(self) -> str:
        return "FixedToken(***)"

    def token(self) -> str:
        """Return the token."""
        return self._token


class TokenFile:
    """A file that something else keeps fresh, such as a projected service account token; read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._token = ""

    def __repr__(self) -> str:
        return f"TokenFile({str(self._path)!r})"

    def token(self) -> str:
        """Return what the file holds now."""
        try:
            status = self._path.stat()
            version = (status.st_mtime_ns, status.st_ino)
            if version != self._seen:
                self._token = _checked(self._path.read_text(encoding="utf-8"), str(self._path))
                self._seen = version
        except OSError as unreadable:
            reason = unreadable.strerror or type(unreadable).__name__
            raise ConfigurationError(f"cannot read the token file {self._path}: {reason}", _REMEDY) from unreadable
        return self._token


_REMEDY = "set AETERNA_TOKEN_FILE to a file that holds a token, or AETERNA_TOKEN to the token itself"


def _checked(text: str, where: str) -> str:
    token = text.strip()
    if not token or not token.isascii() or any(character.isspace() for character in token):
        raise ConfigurationError(f"{where} is empty or not a token", _REMEDY)
    return token
