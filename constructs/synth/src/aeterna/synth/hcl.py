"""Marks arguments with what the engine's HCL writer has to know, for ``cdktf synth --hcl``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, cast

BlockShape: TypeAlias = Mapping[str, "BlockShape"]
"""Which arguments are nested blocks, and which blocks they nest in turn."""


def hcl_of(arguments: Mapping[str, object], blocks: BlockShape) -> dict[str, object]:
    """Return the lowered arguments, each told apart as a block, a string, a list, a map or a plain value."""
    return {name: _marked(value, blocks.get(name)) for name, value in arguments.items()}


def _marked(value: object, nested: BlockShape | None) -> object:
    if isinstance(value, str):
        return _tagged(value, "simple", "string")
    if isinstance(value, list):
        items = cast("list[object]", value)
        if nested is not None:
            return _block(cast("list[Mapping[str, object]]", items), nested)
        texts = all(isinstance(item, str) for item in items)
        return _tagged(items, "list", "stringList") if texts else _tagged(items, "any", "any")
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        return _tagged(entries, "any", "any") if nested is None else _block([entries], nested)
    return value


def _block(occurrences: list[Mapping[str, object]], nested: BlockShape) -> object:
    marked = [hcl_of(one, nested) for one in occurrences]
    return {**_tagged(marked, "list", "object"), "isBlock": True}


def _tagged(value: object, kind: str, storage: str) -> dict[str, object]:
    return {"value": value, "type": kind, "storageClassType": storage}
