"""The difference of two JSON documents as a JSON Patch (RFC 6902), small for what injection does."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aeterna.contracts.json_value import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Iterator

Operation: TypeAlias = "dict[str, object]"


def changes(before: object, after: object, path: str = "") -> Iterator[Operation]:
    """Return the operations that make ``after`` of ``before``, in the order in which they must be done.

    Parts of a list that have names are told apart by them, so that a container is added, and not its neighbours
    rewritten as each other.
    """
    if before is after:
        return
    if is_object(before) and is_object(after):
        yield from _of_objects(before, after, path)
    elif is_array(before) and is_array(after):
        yield from _of_lists(before, after, path)
    elif before != after:
        yield {"op": "replace", "path": path, "value": after}


def _of_objects(before: dict[str, object], after: dict[str, object], path: str) -> Iterator[Operation]:
    for name in before:
        if name not in after:
            yield {"op": "remove", "path": f"{path}/{_escaped(name)}"}
    for name, value in after.items():
        if name in before:
            yield from changes(before[name], value, f"{path}/{_escaped(name)}")
        else:
            yield {"op": "add", "path": f"{path}/{_escaped(name)}", "value": value}


def _of_lists(before: list[object], after: list[object], path: str) -> Iterator[Operation]:
    old, new = _names(before), _names(after)
    if old is None or new is None:
        old, new = [*range(len(before))], [*range(len(after))]
    kept = set(old) & set(new)
    if not kept or [each for each in old if each in kept] != [each for each in new if each in kept]:
        if before != after:
            yield {"op": "replace", "path": path, "value": after}
        return
    for number in range(len(old) - 1, -1, -1):
        if old[number] not in kept:
            yield {"op": "remove", "path": f"{path}/{number}"}
    values = dict(zip(old, before, strict=True))
    for number, (name, value) in enumerate(zip(new, after, strict=True)):
        if name in kept:
            yield from changes(values[name], value, f"{path}/{number}")
        else:
            yield {"op": "add", "path": f"{path}/{number}", "value": value}


def _names(parts: list[object]) -> list[object] | None:
    """Return what tells the parts of a list apart, or None where that is only their place."""
    names: list[object] = [part.get("name") if is_object(part) else None for part in parts]
    distinct = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    return names if distinct else None


def _escaped(name: str) -> str:
    """Return a name as a token of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
