"""Chooses the ports of a local runtime: the same ones every time, other ones for another checkout."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

from aeterna.cli.errors import PortInUseError

HOST = "127.0.0.1"
BLOCK = 10
"""Ports in the block of one runtime; room for parts to come."""
FIRST, LAST = 18_000, 28_000
"""Below the ephemeral ports of Linux (32768) and macOS (49152), so that no outgoing connection takes one."""
LISTENING = "0A"


def free_block(state_dir: Path, count: int) -> int:
    """Return the first port of a free block; which one is tried first depends on the folder alone."""
    blocks = (LAST - FIRST) // BLOCK
    preferred = int.from_bytes(hashlib.sha256(str(state_dir).encode()).digest()[:4], "big") % blocks
    for step in range(blocks):
        base = FIRST + (preferred + step) % blocks * BLOCK
        if all(is_free(base + offset) for offset in range(count)):
            return base
    raise PortInUseError(FIRST + preferred * BLOCK, None)


def require_free(port: int) -> None:
    """Raise `PortInUseError`, naming the process where the system tells, when the port is taken."""
    if not is_free(port):
        raise PortInUseError(port, holder(port))


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: what is left of a closed connection is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str | None:
    """Return the process that listens on the port, as far as ``/proc`` lets us see (proc(5), net/tcp)."""
    inodes = {
        fields[9]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in _rows(Path(table))
        if fields[1].endswith(f":{port:04X}") and fields[3] == LISTENING
    }
    links = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in links for link in (process / "fd").iterdir()):
                name = (process / "comm").read_text(encoding="utf-8").strip()
                return f"process {process.name} ({name})"
        except OSError:  # another user's process, or one that has just ended
            continue
    return None


def _rows(table: Path) -> list[list[str]]:
    try:
        return [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
    except OSError:
        return []
