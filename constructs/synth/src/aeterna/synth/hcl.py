"""Marks arguments with what the engine's HCL writer has to know, for ``cdktf synth --hcl``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aeterna.synth.blocks import Repeated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.synth.blocks import BlockShape


def hcl_of(arguments: Mapping[str, object], blocks: BlockShape) -> dict[str, object]:
    """Return the lowered arguments, each told apart as a block, a string, a list, a map or a plain value."""
    return {name: _marked(value, blocks.get(name)) for name, value in arguments.items()}


def _marked(value: object, nested: BlockShape | None) -> object:
    match value:
        case str():
            return _tagged(value, "simple", "string")
        case Repeated():
            return _repeated(cast("Repeated[object]", value), nested or {})
        case dict() | list() if nested is not None:
            return _block(cast("list[object]", value if isinstance(value, list) else [value]), nested)
        case list():
            items = cast("list[object]", value)
            texts = all(isinstance(item, str) for item in items)
            return _tagged(items, "list", "stringList") if texts else _tagged(items, "any", "any")
        case dict():
            return _tagged(cast("dict[str, object]", value), "any", "any")
        case _:
            return value


def _block(occurrences: list[object], nested: BlockShape) -> object:
    marked = [hcl_of(cast("Mapping[str, object]", one), nested) for one in occurrences]
    return {**_tagged(marked, "list", "object"), "isBlock": True}


def _repeated(block: Repeated[object], nested: BlockShape) -> object:
    content = hcl_of(cast("Mapping[str, object]", block.content), nested)
    return {"dynamic": {"value": {"for_each": block.over, "iterator": block.iterator, "content": content}}}


def _tagged(value: object, kind: str, storage: str) -> dict[str, object]:
    return {"value": value, "type": kind, "storageClassType": storage}
