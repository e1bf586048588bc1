"""Which secrets have changed since when, for whoever waits to be told."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind: TypeAlias = Literal["handed_over", "withdrawn"]

_CURSOR: Final = re.compile(r"([0-9a-f]{8})-([0-9]{1,15})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened last to a secret."""

    name: str
    kind: Kind


class Changes:
    """Numbers every change. ``life`` is eight hex digits of this process: a cursor of another one has missed all."""

    def __init__(self, *, life: str) -> None:
        self._life = life
        self._number = 0
        self._last: dict[str, tuple[int, Kind]] = {}
        self._told = asyncio.Event()

    @property
    def cursor(self) -> str:
        """Where the numbers are now."""
        return f"{self._life}-{self._number}"

    def tell(self, names: Iterable[str], kind: Kind) -> None:
        """Note what happened, and wake whoever waits."""
        for name in sorted(names):
            self._number += 1
            self._last[name] = (self._number, kind)
        told, self._told = self._told, asyncio.Event()
        told.set()

    def since(self, cursor: str) -> list[Change]:
        """Return what happened after a cursor, one for each secret, in order; everything after one that is unknown."""
        found = _CURSOR.fullmatch(cursor)
        number = int(found[2]) if found is not None and found[1] == self._life else 0
        later = sorted((entry for entry in self._last.items() if entry[1][0] > number), key=lambda entry: entry[1][0])
        return [Change(name=name, kind=kind) for name, (_, kind) in later]

    async def wait(self, cursor: str) -> list[Change]:
        """Return what happened after a cursor as soon as that is anything; whoever has no patience cancels."""
        while True:
            told = self._told
            if changes := self.since(cursor):
                return changes
            await told.wait()
