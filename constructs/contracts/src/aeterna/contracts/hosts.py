"""Which hosts are this machine's own."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host is an address that only this machine answers at; a name, ``localhost`` too, is none."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
