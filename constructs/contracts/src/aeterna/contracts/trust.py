"""Whom a client believes over TLS: the authorities in a file, which is replaced when the platform's own one rotates."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable
    from pathlib import Path

CA_FILE: Final = "AETERNA_CA_FILE"
"""The variable that names the file to every client of the platform's services."""


class FileTrust(ssl.SSLContext):
    """A client's context for TLS 1.2 or later that believes exactly the authorities (PEM) of a file.

    The file is looked at for each new connection. One that cannot be read then changes nothing: the last good one stays
    in force. It takes the place of any context that only makes connections; of what else is set on it, only the
    application's protocols count.
    """

    _path: Path
    _protocols: tuple[str, ...]
    _seen: tuple[int, ...] | None
    _current: ssl.SSLContext

    def __new__(cls, path: Path) -> Self:
        """Read the file; raise `OSError` where it cannot be read or holds no certificate."""
        self = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        self._path = path
        self._protocols = ()
        self._seen = self._stamp()
        self._current = self._loaded()
        return self

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,  # noqa: FBT001, FBT002 - as the library's
        do_handshake_on_connect: bool = True,  # noqa: FBT001, FBT002 - as above
        suppress_ragged_eofs: bool = True,  # noqa: FBT001, FBT002 - as above
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """Begin a connection with the authorities of this moment."""
        return self._fresh().wrap_socket(
            sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, server_hostname, session
        )

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 - as above
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Begin a connection with the authorities of this moment."""
        return self._fresh().wrap_bio(incoming, outgoing, server_side, server_hostname, session)

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Offer these protocols on every later connection."""
        self._protocols = tuple(alpn_protocols)
        self._current.set_alpn_protocols(self._protocols)

    def _fresh(self) -> ssl.SSLContext:
        # Its stamp first: what is written while we read is then read again.
        seen = self._stamp()
        if seen != self._seen:
            self._seen = seen
            with suppress(OSError):
                self._current = self._loaded()
        return self._current

    def _loaded(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self._path))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._protocols:
            context.set_alpn_protocols(self._protocols)
        return context

    def _stamp(self) -> tuple[int, ...] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)
