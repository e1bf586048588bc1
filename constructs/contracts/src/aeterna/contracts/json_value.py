"""What a parsed JSON document can be, and how to look into one whose shape nobody has vouched for."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

JsonValue: TypeAlias = "str | int | float | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Tell whether a parsed value is an object; JSON has no names but strings."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[object]]:
    """Tell whether a parsed value is an array."""
    return isinstance(value, list)


def object_of(value: object) -> dict[str, object]:
    """Return a parsed value that must be an object, or raise `TypeError`."""
    if not is_object(value):
        raise TypeError(f"there is a {type(value).__name__} where an object must be")
    return value


def array_of(value: object) -> list[object]:
    """Return a parsed value that must be an array, or raise `TypeError`."""
    if not is_array(value):
        raise TypeError(f"there is a {type(value).__name__} where a list must be")
    return value
