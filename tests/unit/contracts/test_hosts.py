"""What only this machine answers at, and what only looks so."""

from __future__ import annotations

import pytest

from aeterna.contracts.hosts import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.4.2", "::1"])
def test_an_address_of_the_loopback_is_this_machines(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1.example.org", "127.1", "10.0.0.1", "0.0.0.0", "::"])  # noqa: S104 - nobody listens
def test_a_name_or_another_address_is_not(host: str) -> None:
    assert not is_loopback(host)
