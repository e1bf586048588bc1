"""Turns what an engineer writes into what crosses to the engine unchanged, and refuses what would arrive changed.

The engine takes JSON: it drops what it does not know, rounds what does not fit a double, and replaces a placeholder
only where it stands whole. Each of these is silent there, so each is an error here.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Final, TypeAlias, cast

from constructs import Construct

from aeterna.synth.errors import BrokenTokenError, UnrepresentableValueError
from aeterna.synth.references import Lowers

Lowered: TypeAlias = object
"""A string, number, boolean, None, jsii object, or a list or dict of these."""

EXACT: Final = 2**53
"""Above this, the doubles of the engine's JSON skip whole numbers."""
_LIST_MARK: Final = "#{TfToken["
_MAP_MARK: Final = "&{TfToken["
_BIG_FLOAT: Final = re.compile(r"-\d(?:\.\d+)?e\+\d{3}")
_NUMBER_TOKEN: Final = 0xFDFF
_NUMBER_LIST_TOKEN: Final = 0xFBFF


def lower(value: object, path: str) -> Lowered:
    """Return the value as the engine takes it; ``path`` names it in errors.

    None inside a mapping is left out, which is Terraform's null. Raises `UnrepresentableValueError`.
    """
    match value:
        case None | bool():
            lowered: Lowered = value
        case Lowers():
            lowered = value.__lower__(path)
        case Enum():
            lowered = lower(value.value, path)
        case str() | PurePath():
            lowered = _text(str(value), path)
        case int() | float():
            lowered = _number(value, path)
        case Mapping():
            lowered = _mapping(cast("Mapping[object, object]", value), path)
        case AbstractSet():
            # Python orders a set by a seed of its own; two syntheses have to give the same bytes.
            lowered = sorted((lower(item, path) for item in cast("AbstractSet[object]", value)), key=repr)
        case bytes() | bytearray():
            raise UnrepresentableValueError(path, "bytes have no form in Terraform", "decode them, or encode as base64")
        case Sequence():
            lowered = _sequence(cast("Sequence[object]", value), path)
        case _:
            lowered = _object(value, path)
    return lowered


def escaped(text: str) -> str:
    """Return a literal in which ``${`` and ``%{`` mean themselves, where Terraform would see a template.

    Do not give it a placeholder: that would be escaped as well.
    """
    return text.replace("${", "$${").replace("%{", "%%{")


def _text(value: str, path: str) -> str:
    if _LIST_MARK in value:
        raise BrokenTokenError(
            path, "a list that is known only at apply was indexed or written into a string", "use Fn.element or Fn.join"
        )
    if _MAP_MARK in value:
        raise BrokenTokenError(
            path, "a map that is known only at apply was indexed or written into a string", "use Fn.lookup"
        )
    for found in _BIG_FLOAT.findall(value):
        if _mark_of(float(found)) is not None:
            raise BrokenTokenError(
                path,
                "a number that is known only at apply was written into a string",
                "write Token.as_string(number), or Fn.format",
            )
    return value


def _number(value: float, path: str) -> float:
    if isinstance(value, float) and not math.isfinite(value):
        raise UnrepresentableValueError(path, f"{value} is not a number of Terraform", "leave the argument out")
    if abs(value) <= EXACT:
        return value
    mark = _mark_of(value)
    if mark == _NUMBER_TOKEN:
        return value
    if mark == _NUMBER_LIST_TOKEN:
        raise BrokenTokenError(path, "a list of numbers that is known only at apply was indexed", "use Fn.element")
    raise UnrepresentableValueError(
        path,
        f"{value} is beyond 2^53, where the engine rounds (or arithmetic was done on a placeholder)",
        "write it as a string, or compute it with Op",
    )


def _mark_of(value: float) -> int | None:
    """Return which kind of placeholder this number is, or None if it is a plain one."""
    try:
        high = int(struct.unpack(">H", struct.pack(">d", value)[:2])[0])
    except OverflowError:
        return None
    return high if high in {_NUMBER_TOKEN, _NUMBER_LIST_TOKEN} else None


def _mapping(value: Mapping[object, object], path: str) -> Lowered:
    lowered: dict[str, Lowered] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise UnrepresentableValueError(path, f"the key {key!r} is no string", "write it as a string")
        if _MAP_MARK in key:
            if len(value) > 1:
                raise BrokenTokenError(path, "a map that is known only at apply was spread", "use Fn.merge")
            return dict(value)
        if item is not None:
            lowered[key] = lower(item, f"{path}.{key}")
    return lowered


def _sequence(value: Sequence[object], path: str) -> Lowered:
    if len(value) == 1 and _is_list_token(value[0]):
        return [value[0]]
    if any(_is_list_token(item) for item in value):
        raise BrokenTokenError(path, "a list that is known only at apply was spread into another", "use Fn.concat")
    return [lower(item, f"{path}[{index}]") for index, item in enumerate(value)]


def _is_list_token(item: object) -> bool:
    if isinstance(item, str):
        return item.startswith(_LIST_MARK)
    return isinstance(item, float) and _mark_of(item) == _NUMBER_LIST_TOKEN


def _object(value: object, path: str) -> Lowered:
    kind = type(value)
    if isinstance(value, Construct):
        raise UnrepresentableValueError(
            path, f"{kind.__name__} is a construct, not a value", "pass one of its attributes, such as its id"
        )
    names = cast("Mapping[str, str] | None", getattr(kind, "__jsii_name_mapping__", None))
    if names is not None:
        # A struct of a prebuilt binding crosses as camelCase; its Python names are Terraform's.
        return _mapping({name: getattr(value, name) for name in names}, path)
    if hasattr(value, "__jsii_type__"):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return _mapping({field.name.rstrip("_"): getattr(value, field.name) for field in fields(value)}, path)
    raise UnrepresentableValueError(path, f"a {kind.__name__} has no form in Terraform", "convert it to plain data")
