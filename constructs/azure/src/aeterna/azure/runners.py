"""The addresses from which a pipeline reaches what only it needs: key vaults and states, which have a firewall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.contracts.addresses import parse_block
from aeterna.contracts.errors import InvalidSpecError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network

SINGLE = 32
SMALLEST = 30


def allowed(spec: str, runners: Sequence[str]) -> tuple[str, ...]:
    """Return the blocks as Azure's firewalls take them: public, a single address bare, none of two addresses.

    Azure Storage refuses /31 and /32 and private addresses (Azure documentation, "Configure Azure Storage firewalls").
    """
    return tuple(_allowed(spec, parse_block(spec, "runners", text)) for text in runners)


def _allowed(spec: str, block: IPv4Network) -> str:
    if not block.is_global:
        problem = f"{block} is not public, and a firewall sees only public addresses"
        remedy = "name the addresses that the pipeline is seen from, or give it a private endpoint"
        raise InvalidSpecError(spec, "runners", problem, remedy)
    if block.prefixlen == SINGLE:
        return str(block.network_address)
    if block.prefixlen > SMALLEST:
        raise InvalidSpecError(spec, "runners", f"Azure takes no block as small as {block}", "name each address")
    return str(block)
