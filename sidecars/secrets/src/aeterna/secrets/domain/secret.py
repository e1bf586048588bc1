"""A secret as its source gave it out, and how long it may be used; no value of it shows in a repr."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NoReturn, TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"

Engine: TypeAlias = Literal["value", "kv", "dynamic"]
"""``kv`` is Vault's KV version 2, ``dynamic`` any path of Vault that gives out a lease, ``value`` all else."""


class Fields(Mapping[str, JsonValue]):
    """The values of a secret by name; shows its names alone, and goes into no pickle."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, JsonValue]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> JsonValue:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Fields({', '.join(sorted(self._values))})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret's values are not to be written down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where a source has a secret: a path of Vault, a name or ARN of a cloud's.

    ``mount`` is for ``kv`` alone. Without ``version`` it is the current one. ``decode`` says whether a cloud's text
    is a JSON object, whose members are the fields, or one field named ``value``.
    """

    path: str
    engine: Engine = "value"
    mount: str = ""
    version: str | None = None
    decode: Literal["json", "text"] = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """How long something may be used, in seconds since it was asked for, and whether that can be prolonged."""

    ttl: float
    renewable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What a source takes back on its own, when it is not renewed."""

    id: str = field(repr=False)
    grant: Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What a source gave out. Without a lease it is polled; two with the same version have the same values.

    ``rotates_in`` is in how many seconds its source will change it, where it says so.
    """

    fields: Fields
    version: str
    lease: Lease | None = None
    rotates_in: float | None = None
