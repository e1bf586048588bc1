"""The workload token that a process brings, from the file that the platform rewrites before it expires."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aeterna.a2a.errors import TokenUnreadableError
from aeterna.contracts.json_value import is_object

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a process is by its own token; the thread store is who verifies it."""

    tenant: str
    agent: str


class TokenFile:
    """The token in a file; read again when the file has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._token = ""

    def read(self) -> str:
        """Return the present token; the last one where the file cannot be read for the moment.

        Raises `TokenUnreadableError` where there never was one.
        """
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen != self._seen:
                token = self._path.read_text(encoding="ascii").strip()
                self._token = token or self._token
                self._seen = seen
        except (OSError, UnicodeDecodeError) as error:
            if not self._token:
                raise TokenUnreadableError(str(self._path)) from error
        if not self._token:
            raise TokenUnreadableError(str(self._path))
        return self._token

    def identity(self, tenant_claim: str = "tenant", *, tenant: str | None = None) -> Identity:
        """Return whose token it is, or raise `TokenUnreadableError`; ``tenant`` is that of a token that names none."""
        try:
            payload = self.read().split(".")[1]
            claims: object = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (IndexError, ValueError) as error:
            raise TokenUnreadableError(str(self._path)) from error
        claimed = claims.get(tenant_claim) if is_object(claims) else None
        agent = claims.get("sub") if is_object(claims) else None
        found = tenant if claimed is None else claimed
        if not isinstance(found, str) or not isinstance(agent, str):
            raise TokenUnreadableError(str(self._path))
        return Identity(tenant=found, agent=agent)
