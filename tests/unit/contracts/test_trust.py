"""A client believes the authorities that a file holds at the moment of each connection, and no others."""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from aeterna.contracts.trust import FileTrust
from fixtures.serving_pair import TestAuthority

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

pytestmark = pytest.mark.anyio

OLD, NEW = TestAuthority("old"), TestAuthority("new")
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"


@asynccontextmanager
async def serving(authority: TestAuthority, folder: Path) -> AsyncGenerator[str]:
    """Serve a greeting with a certificate of an authority, and yield the address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = folder / f"{authority.name}.pem"
    pair.write_bytes(b"".join(authority.pair()))
    context.load_cert_chain(pair)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HELLO)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context, ssl_shutdown_timeout=0.1) as server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"


async def greeted(address: str, trust: ssl.SSLContext) -> str:
    """Return what an asynchronous client is told."""
    async with httpx.AsyncClient(verify=trust, trust_env=False) as client:
        return (await client.get(address)).text


def replace(file: Path, text: bytes | None) -> None:
    """Put something else in the place of a file, or nothing."""
    if text is None:
        file.unlink()
    else:
        file.write_bytes(text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file with the old authority."""
    path = tmp_path / "ca.crt"
    path.write_bytes(OLD.pem())
    return path


async def test_an_authority_of_the_file_is_believed(file: Path, tmp_path: Path) -> None:
    async with serving(OLD, tmp_path) as address:
        assert await greeted(address, FileTrust(file)) == "hello"


async def test_another_authority_is_not(file: Path, tmp_path: Path) -> None:
    async with serving(NEW, tmp_path) as address:
        with pytest.raises(httpx.ConnectError):
            await greeted(address, FileTrust(file))


async def test_an_authority_counts_from_the_moment_that_it_is_in_the_file_and_one_that_left_no_longer(
    file: Path, tmp_path: Path
) -> None:
    """The same client goes on: a rotation must not need a restart."""
    trust = FileTrust(file)
    async with (
        httpx.AsyncClient(verify=trust, trust_env=False) as client,
        serving(OLD, tmp_path) as old,
        serving(NEW, tmp_path) as new,
    ):
        await client.get(old)
        replace(file, NEW.pem())

        assert (await client.get(new)).text == "hello"
        with pytest.raises(httpx.ConnectError):
            await client.get(old)


@pytest.mark.parametrize("text", [b"", b"no certificate", None])
async def test_a_file_that_broke_changes_nothing(text: bytes | None, file: Path, tmp_path: Path) -> None:
    trust = FileTrust(file)
    replace(file, text)
    async with serving(OLD, tmp_path) as address:
        assert await greeted(address, trust) == "hello"


async def test_the_name_of_the_server_is_looked_at(file: Path, tmp_path: Path) -> None:
    async with serving(OLD, tmp_path) as address:
        with pytest.raises(httpx.ConnectError):
            await greeted(address.replace("localhost", "127.0.0.2"), FileTrust(file))


async def test_blocking_clients_believe_alike(file: Path, tmp_path: Path) -> None:
    trust, told = FileTrust(file), list[str]()

    def ask(address: str) -> None:
        with httpx.Client(verify=trust, trust_env=False) as client:
            told.append(client.get(address).text)

    async with serving(OLD, tmp_path) as address:
        thread = threading.Thread(target=ask, args=(address,))
        thread.start()
        await asyncio.to_thread(thread.join)

    assert told == ["hello"]


@pytest.mark.parametrize("text", [b"", b"no certificate"])
def test_a_file_without_authorities_is_refused_at_once(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ca.crt"
    path.write_bytes(text)

    with pytest.raises(OSError, match=r".*"):
        FileTrust(path)
