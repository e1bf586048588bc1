"""Finds addresses by the machine's own resolver."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Place: TypeAlias = "tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]"
Answer: TypeAlias = "tuple[socket.AddressFamily, socket.SocketKind, int, str, Place]"
Lookup: TypeAlias = "Callable[[str, int], Awaitable[list[Answer]]]"


class SystemResolver:
    """A `Resolver` over getaddrinfo, which reads /etc/hosts and asks the configured name servers."""

    def __init__(self, lookup: Lookup | None = None) -> None:
        """Take what is asked instead of getaddrinfo, and answers as it does."""
        self._lookup = lookup or _getaddrinfo

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """See `Resolver.resolve`."""
        try:
            found = await self._lookup(host, port)
        except (OSError, UnicodeError):
            return ()
        return tuple(dict.fromkeys(_address(place) for *_, place in found))


async def _getaddrinfo(host: str, port: int) -> list[Answer]:
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)


def _address(place: Place) -> str:
    """Return the address, with its zone if it has one: the guard is to see it."""
    match place:
        case (str(text), _, _, int(zone)) if zone:
            return f"{text}%{zone}"
        case _:
            return str(place[0])
