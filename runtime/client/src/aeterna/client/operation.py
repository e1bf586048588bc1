"""A call of the API as data: what is sent, and how the answer is read. Nothing here does input or output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar
from urllib.parse import quote

from aeterna.client.json_value import JsonObject

T_co = TypeVar("T_co", covariant=True)
Service: TypeAlias = Literal["graph", "policies", "threads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[T_co]):
    """One call: reads are safe to repeat, writes are when they carry the key by which the service recognises them.

    What is sent is JSON, the ``body``, or a file as it is, the ``content``. ``reading`` marks a question that is too
    long for an address and goes by POST.
    """

    service: Service
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    parse: Callable[[Reply], T_co]
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: JsonObject | None = None
    content: bytes | None = None
    key: str | None = None
    reading: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether doing it twice is the same as doing it once."""
        return self.method == "GET" or self.reading or self.key is not None


def segment(value: str) -> str:
    """Return the value as one segment of a path: slashes are escaped, and dots that would climb the path."""
    return value.replace(".", "%2E") if value in {".", ".."} else quote(value, safe="")


def query(**parameters: str | int | tuple[str, ...] | None) -> tuple[tuple[str, str], ...]:
    """Return query parameters in order; None is left out and a tuple repeats its name."""
    pairs: list[tuple[str, str]] = []
    for name, value in parameters.items():
        if value is None:
            continue
        pairs.extend((name, str(item)) for item in (value if isinstance(value, tuple) else (value,)))
    return tuple(pairs)
