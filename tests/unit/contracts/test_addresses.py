"""How a network's block is carved."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.contracts.addresses import carve, parse_block, require_private
from aeterna.contracts.errors import InvalidSpecError


def block_in_ten(second: int, prefix: int) -> IPv4Network:
    return IPv4Network(f"10.{second}.0.0/{prefix}")


blocks = st.builds(block_in_ten, st.integers(0, 255), st.integers(16, 20))


@given(block=blocks, zones=st.integers(2, 3))
def test_the_parts_lie_inside_the_block_and_share_no_address(block: IPv4Network, zones: int) -> None:
    parts = [part for zone in carve(block, zones) for part in (zone.private, zone.edge)]

    assert len(parts) == 2 * zones
    assert all(part.subnet_of(block) for part in parts)
    assert not any(one.overlaps(other) for index, one in enumerate(parts) for other in parts[:index])


@given(block=blocks)
def test_a_third_zone_leaves_the_first_two_where_they_are(block: IPv4Network) -> None:
    """Otherwise adding a zone would replace every subnet, and everything in them."""
    assert carve(block, 3)[:2] == carve(block, 2)


@given(block=blocks, zones=st.integers(2, 3))
def test_most_of_the_last_quarter_stays_free_for_later(block: IPv4Network, zones: int) -> None:
    taken = sum(zone.private.num_addresses + zone.edge.num_addresses for zone in carve(block, zones))

    assert taken <= block.num_addresses * 3 // 4 + block.num_addresses * 3 // 64


def test_the_documented_example_is_what_is_carved() -> None:
    zones = carve(IPv4Network("10.0.0.0/16"), 3)

    assert [str(zone.private) for zone in zones] == ["10.0.0.0/18", "10.0.64.0/18", "10.0.128.0/18"]
    assert [str(zone.edge) for zone in zones] == ["10.0.192.0/22", "10.0.196.0/22", "10.0.200.0/22"]


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "10.0.0.1/16", "fd00::/48", "ten"])
def test_what_is_not_a_block_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidSpecError, match=r"write one such as"):
        parse_block("Spec", "cidr", text)


@pytest.mark.parametrize("block", ["8.8.0.0/16", "172.32.0.0/16", "169.254.0.0/16"])
def test_public_and_link_local_space_is_refused(block: str) -> None:
    with pytest.raises(InvalidSpecError, match="private address space"):
        require_private("Spec", "cidr", IPv4Network(block))


def test_the_block_of_the_container_bridge_is_refused() -> None:
    with pytest.raises(InvalidSpecError, match="container bridge"):
        require_private("Spec", "cidr", IPv4Network("172.16.0.0/15"))
