"""One resource as a rule sees it: plain data, and a way to read what is nested in it however it was written.

Terraform's JSON writes the same block as an object, as a list of objects or under ``dynamic``, and the same boolean as
``true`` or ``"true"``. A rule should not have to know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

Json: TypeAlias = Any  # a document is JSON; its shape is the provider's, which each rule asks about

STEP: Final = re.compile(r"(?P<name>[\w-]+)(?:\[(?P<key>\w+)=(?P<value>[^]]+)\])?(?P<optional>\?)?(?:\.|$)")
DATA: Final = "data."
"""What begins the type and the address of a data source."""
ADDRESS: Final = re.compile(r"(?:data\.)?[a-z][a-z0-9]*_[a-z0-9_]+\.[A-Za-z0-9_-]+")
BEGINNING: Final = re.compile(r"(?<!\$)\$\{|(?<!%)%\{")
"""Where an expression begins; doubled, the sign stands for itself."""
EXPRESSION: Final = re.compile(r"(?<!\$)\$\{((?:[^{}\"]|\"[^\"]*\"|\{[^{}]*\})*)\}")


class Mark(Enum):
    """What stands for a value where there is none to look at."""

    ABSENT = "absent"
    """Nothing is written there."""
    UNKNOWN = "unknown"
    """What is written there is known only at apply."""


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path. ``key`` and ``value`` choose among repeated blocks; an optional one may be missing."""

    name: str
    key: str | None
    value: str | None
    optional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A resource of a stack: where it is, of which type it is, and what it says."""

    address: str
    """Terraform's address, such as ``random_pet.name``."""
    path: str
    """The construct's path, such as ``main/Database/Resource``; the address where the document does not tell it."""
    type: str
    arguments: Mapping[str, Json]

    @property
    def provider(self) -> str:
        """Return the prefix of its type, by which its provider is known."""
        return self.type.removeprefix(DATA).partition("_")[0]

    def values(self, path: str) -> list[Json]:
        """Return what stands at a path, once for each occurrence of the blocks on the way.

        A path is names with dots. ``name?`` says that the block may be missing, ``name[key=value]`` chooses one of
        several. What is not there is `Mark.ABSENT`, what is inside an expression `Mark.UNKNOWN`.
        """
        return list(_read(self.arguments, steps_of(path)))

    def value(self, path: str) -> Json:
        """Return the first value at a path."""
        return next(_read(self.arguments, steps_of(path)), Mark.ABSENT)


@cache
def steps_of(path: str) -> tuple[Step, ...]:
    """Return the steps of a path."""
    return tuple(
        Step(found["name"], found["key"], found["value"], found["optional"] is not None)
        for found in STEP.finditer(path)
    )


def is_expression(value: object) -> bool:
    """Say whether a value is, or holds, something that is known only at apply."""
    return isinstance(value, str) and BEGINNING.search(value) is not None


def expressions_in(value: object) -> list[str]:
    """Return what stands inside ``${}`` in a text."""
    return EXPRESSION.findall(value) if isinstance(value, str) and "${" in value else []


def addresses_in(value: object) -> set[str]:
    """Return the addresses that a text refers to."""
    return {address for inside in expressions_in(value) for address in ADDRESS.findall(inside)}


def as_flag(value: object) -> bool | None:
    """Return a boolean however it is written, or None if it is none."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def as_number(value: object) -> float | None:
    """Return a number however it is written, or None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def as_list(value: object) -> list[Json]:
    """Return a list of what may be written as one or as several."""
    if value is None or isinstance(value, Mark):
        return []
    return cast("list[Json]", value) if isinstance(value, list) else [value]


def as_mapping(value: object) -> Mapping[str, Json]:
    """Return an object of JSON, empty for what is none."""
    return cast("Mapping[str, Json]", value) if isinstance(value, dict) else {}


def texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Walk arguments and return each text with its path, without the engine's own metadata."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in cast("Mapping[str, object]", value).items():
            if name != "//":
                yield from texts(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from texts(inner, path)


def literals(value: object) -> Iterator[tuple[str, str]]:
    """Walk arguments and return each text that is known now, with its path."""
    return ((path, text) for path, text in texts(value) if not is_expression(text))


def _read(holder: Json, steps: tuple[Step, ...]) -> Iterator[Json]:
    if isinstance(holder, list):
        for each in cast("list[Json]", holder):
            yield from _read(each, steps)
        return
    if isinstance(holder, str):
        yield Mark.UNKNOWN
        return
    step, rest = steps[0], steps[1:]
    found = _found(as_mapping(holder), step, last=not rest)
    if isinstance(found, Mark):
        if found is Mark.UNKNOWN or not step.optional:
            yield found
    elif rest:
        yield from _read(found, rest)
    else:
        yield found


def _found(holder: Mapping[str, Json], step: Step, *, last: bool) -> Json:
    found = holder.get(step.name)
    if found is None:
        found = _dynamic(holder, step.name)
    if found is None or (not last and found in ([], {})):
        return Mark.ABSENT
    if step.key is None or isinstance(found, str):
        return found
    chosen = [each for each in as_list(found) if isinstance(each, str) or _is_chosen(each, step)]
    return chosen or Mark.ABSENT


def _is_chosen(block: Json, step: Step) -> bool:
    said = as_mapping(block).get(cast("str", step.key))
    return said == step.value or is_expression(said)


def _dynamic(holder: Mapping[str, Json], name: str) -> Json:
    """Return the content of blocks that are written once per element; how many there will be is not known."""
    blocks = [each for dynamic in as_list(holder.get("dynamic")) for each in as_list(as_mapping(dynamic).get(name))]
    contents = [content for each in blocks for content in as_list(as_mapping(each).get("content"))]
    return contents or None
