"""What is made of units and goes with them, in the transaction that takes a unit away: reports and models' answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.knowledge.domain.elements import node_element

if TYPE_CHECKING:
    from collections.abc import Collection

    from aeterna.knowledge.adapters.postgres.transactions import Statements
    from aeterna.knowledge.domain.documents import UnitId

UNIT_PREFIX: Final = "unit:"
"""Of the id of the node that a unit is in the graph."""
UNNAMED: Final = ""
"""In the place of a unit, where it is not known what an answer was asked about."""


async def hold(statements: Statements) -> None:
    """Hold the tenant's ledger, so that no unit comes or goes until the transaction ends."""
    if not await statements.rows("lock_ledger"):
        await statements.do("begin_ledger")
        await statements.rows("lock_ledger")


async def gone(statements: Statements, units: Collection[UnitId]) -> set[UnitId]:
    """Return those of the units that no document has."""
    asked = list(units)
    if not asked:
        return set()
    elements = [node_element(UNIT_PREFIX + unit) for unit in asked]
    return {unit for (unit,) in await statements.rows("gone_units", units=asked, elements=elements)}


async def forget(statements: Statements, units: Collection[UnitId]) -> None:
    """Remove all that stands on one of the units."""
    asked = list(units)
    if asked:
        if await statements.do("remove_standing_on", units=asked):
            await statements.do("move_reports")
        await forget_answers(statements, asked)


async def forget_answers(statements: Statements, units: Collection[UnitId]) -> None:
    """Remove what models were asked about one of the units, or about nobody knows what."""
    await statements.do("remove_answers", units=[*units, UNNAMED])
