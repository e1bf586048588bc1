"""Finds addresses by the machine's own resolver."""

from __future__ import annotations

import asyncio
import socket


class SystemResolver:
    """A `Resolver` over getaddrinfo, which reads /etc/hosts and asks the configured name servers."""

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """See `Resolver.resolve`."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        except (OSError, UnicodeError):
            return ()
        # A link-local address carries its zone; the guard is to see it.
        addresses = (str(place[0]) + (f"%{place[3]}" if len(place) > 3 and place[3] else "") for *_, place in found)  # noqa: PLR2004 - the zone's place in an IPv6 address
        return tuple(dict.fromkeys(addresses))
