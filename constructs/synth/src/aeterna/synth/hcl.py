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
    if nested is not None and isinstance(value, dict | list):
        occurrences = cast("list[Mapping[str, object]]", value if isinstance(value, list) else [value])
        marked = [hcl_of(one, nested) for one in occurrences]
        return {"value": marked, "isBlock": True, "type": "list", "storageClassType": "object"}
    if isinstance(value, str):
        return {"value": value, "type": "simple", "storageClassType": "string"}
    if isinstance(value, list):
        texts = all(isinstance(item, str) for item in cast("list[object]", value))
        return {"value": value, "type": "list", "storageClassType": "stringList"} if texts else _open(value)
    if isinstance(value, dict):
        return _open(value)
    return value


def _open(value: object) -> object:
    return {"value": value, "type": "any", "storageClassType": "any"}
