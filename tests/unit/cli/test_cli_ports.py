"""Ports: the same for a checkout every time, other ones for another, and a clear word when one is taken."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from aeterna.cli.errors import PortInUseError
from aeterna.cli.local.ports import FIRST, LAST, free_block, is_free, require_free


def test_a_checkout_has_the_same_ports_every_time() -> None:
    assert free_block(Path("/a/.aeterna"), 3) == free_block(Path("/a/.aeterna"), 3)


def test_many_checkouts_spread_over_the_range() -> None:
    blocks = {free_block(Path(f"/checkout-{number}/.aeterna"), 3) for number in range(100)}

    assert len(blocks) > 90
    assert all(FIRST <= block < LAST for block in blocks)


def test_a_block_with_a_taken_port_is_passed_over() -> None:
    folder = Path("/taken/.aeterna")
    preferred = free_block(folder, 3)

    with socket.create_server(("127.0.0.1", preferred + 2)):
        chosen = free_block(folder, 3)

    assert chosen != preferred


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the holder of a port on Linux only")
def test_a_taken_port_is_named_with_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(PortInUseError, match=rf"port {port} .* in use by process {os.getpid()} \("):
            require_free(port)


def test_a_port_that_was_let_go_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert is_free(port)
