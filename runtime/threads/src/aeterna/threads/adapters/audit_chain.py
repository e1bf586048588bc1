"""Adds to a tenant's audit chain, inside the transaction that does what the record says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.service.hash_chain import GENESIS, canonical, link_text
from aeterna.threads.domain.erasure import Link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.service.caller import TenantId
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.adapters.stepwise import Work


async def add_record(work: Work, tenant: TenantId, record: Mapping[str, JsonValue]) -> Link:
    """Write the record after the chain's last one and return its place; the chain stays locked until the commit."""
    await work.rows("chain_alone", tenant=tenant)
    last = await work.rows("chain_end", tenant=tenant)
    number, previous = (last[0]["number"] + 1, last[0]["hash"]) if last else (1, GENESIS)
    text = canonical(record)
    link = Link(number=number, hash=link_text(previous, text))
    await work.rows("chain_add", tenant=tenant, number=number, record=text.decode(), hash=link.hash)
    return link
