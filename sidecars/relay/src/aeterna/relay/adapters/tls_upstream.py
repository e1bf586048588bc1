"""The cache over TLS, with its name proven, entered with a token of this workload's identity."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final

from aeterna.relay.adapters.streams import BUFFER_BYTES, StreamConnection
from aeterna.relay.domain.resp import error_kind, login
from aeterna.relay.errors import LoginRefusedError, UpstreamUnavailableError
from aeterna.relay.ports import LoggedIn

if TYPE_CHECKING:
    from datetime import timedelta

    from aeterna.identity.login import TokenLogin
    from aeterna.relay.adapters.logins import CacheLogin

_OK: Final = b"+OK\r\n"
_GOODBYE_SECONDS: Final = 0.5


class TlsUpstream:
    """One address; the token is asked for with each connection, and kept by `TokenLogin`."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        trust: ssl.SSLContext,
        login: CacheLogin,
        tokens: TokenLogin,
        timeout: timedelta,
    ) -> None:
        self._host = host
        self._port = port
        self._trust = trust
        self._login = login
        self._tokens = tokens
        self._timeout = timeout.total_seconds()

    async def open(self) -> LoggedIn:
        """See `Upstream.open`."""
        token = await self._tokens.token()
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._connected()
                try:
                    answer = await self._entered(connection, token.value)
                except BaseException:
                    connection.close()
                    raise
        except TimeoutError:
            raise UpstreamUnavailableError("no connection in time") from None
        except ssl.SSLCertVerificationError as exc:
            raise UpstreamUnavailableError(f"its name is not proven ({exc.verify_message})") from None
        except (OSError, ValueError) as exc:
            # The second is a line without an end.
            raise UpstreamUnavailableError(type(exc).__name__) from None
        if answer != _OK:
            connection.close()
            if not answer:
                raise UpstreamUnavailableError("it hung up during the login")
            self._tokens.doubt()
            raise LoginRefusedError(error_kind(answer))
        return LoggedIn(connection=connection, ends=self._login.ends(token))

    async def _connected(self) -> StreamConnection:
        reader, writer = await asyncio.open_connection(
            self._host,
            self._port,
            ssl=self._trust,
            server_hostname=self._host,
            ssl_handshake_timeout=self._timeout,
            ssl_shutdown_timeout=_GOODBYE_SECONDS,
            limit=BUFFER_BYTES,
        )
        return StreamConnection(reader, writer)

    async def _entered(self, connection: StreamConnection, password: str) -> bytes:
        await connection.send(login(self._login.user, password))
        return await connection.line()
