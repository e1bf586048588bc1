"""A second listener of a process: it listens before it runs, serves beside the first, and ends when it is told to."""

from __future__ import annotations

import asyncio
import signal
import stat
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.service.asgi import send_bytes
from aeterna.service.beside import Beside
from aeterna.service.errors import AddressInUseError

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.service.asgi import Receive, Scope, Send


async def hello(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Say hello."""
    await send_bytes(send, 200, "text/plain", b"hello")


@pytest.mark.anyio
async def test_it_serves_until_it_is_cancelled_and_leaves_signals_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    beside = Beside(hello)
    running = asyncio.create_task(beside.run())
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{beside.address}/")
        during = signal.getsignal(signal.SIGTERM)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{beside.address}/")
    assert (answer.text, during) == ("hello", before)


def test_a_port_that_is_taken_is_said_at_once() -> None:
    first = Beside(hello)

    with pytest.raises(AddressInUseError):
        Beside(hello, port=int(first.address.rpartition(":")[2]))
    first.close()


def test_strangers_cannot_open_its_socket(tmp_path: Path) -> None:
    beside = Beside(hello, uds=tmp_path / "beside.sock")

    mode = stat.S_IMODE((tmp_path / "beside.sock").stat().st_mode)
    beside.close()

    assert mode == 0o660
    assert list(tmp_path.iterdir()) == []
