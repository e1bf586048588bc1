"""Nested blocks: which arguments they are, one per element of what is known only at apply, and where they are written.

The engine's own ``TerraformIterator.dynamic`` becomes a dynamic block only in its own bindings; elsewhere it is written
as an expression, which Terraform refuses in the place of a block. `repeated` does the same for these bindings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, cast

from aeterna.synth.errors import UnrepresentableValueError
from aeterna.synth.lowering import lower
from aeterna.synth.references import Lowers

T = TypeVar("T")

BlockShape: TypeAlias = Mapping[str, "BlockShape"]
"""Which arguments are nested blocks, and which blocks they nest in turn."""


@dataclass(frozen=True, slots=True)
class Element:
    """The element that a repeated block is written for."""

    iterator: str

    @property
    def key(self) -> str:
        """Its key in a map, or itself in a set."""
        return f"${{{self.iterator}.key}}"

    @property
    def value(self) -> str:
        """Its value."""
        return f"${{{self.iterator}.value}}"

    def get(self, name: str) -> str:
        """Return a field of its value."""
        return f"${{{self.iterator}.value.{name}}}"


@dataclass(frozen=True, slots=True)
class Repeated(Lowers, Generic[T]):
    """A block that is written once per element: Terraform's ``dynamic``."""

    over: object
    content: object
    iterator: str

    def __lower__(self, path: str) -> Repeated[T]:
        """Return the same with its collection and content lowered."""
        return Repeated(lower(self.over, path), lower(self.content, path), self.iterator)


def repeated(over: object, content: Callable[[Element], T], *, iterator: str = "each") -> Repeated[T]:
    """Return one block per element of a map or a set; of a list, give ``Fn.toset(list)``.

    A repeated block inside another one needs an iterator name of its own.
    """
    return Repeated(over, content(Element(iterator)), iterator)


def refuse_expressions(arguments: Mapping[str, object], blocks: BlockShape, path: str) -> None:
    """Raise `UnrepresentableValueError` for an expression in the place of a block."""
    for name, nested in blocks.items():
        value = arguments.get(name)
        if value is None:
            continue
        if hasattr(value, "__jsii_type__") or isinstance(value, str):
            raise UnrepresentableValueError(
                f"{path}.{name}", "a block cannot be an expression", "use aeterna.synth.blocks.repeated"
            )
        for one in _occurrences(value):
            refuse_expressions(one, nested, f"{path}.{name}")


def placed(arguments: Mapping[str, object], blocks: BlockShape) -> dict[str, object]:
    """Return lowered arguments with the repeated blocks where Terraform's JSON has them: under ``dynamic``."""
    written: dict[str, object] = {}
    dynamic: dict[str, object] = {}
    for name, value in arguments.items():
        nested = blocks.get(name)
        if isinstance(value, Repeated):
            block = cast("Repeated[object]", value)
            content = placed(cast("Mapping[str, object]", block.content), nested or {})
            dynamic[name] = {"for_each": block.over, "iterator": block.iterator, "content": content}
        elif nested and isinstance(value, dict):
            written[name] = placed(cast("dict[str, object]", value), nested)
        elif nested and isinstance(value, list):
            written[name] = [placed(one, nested) for one in cast("list[dict[str, object]]", value)]
        else:
            written[name] = value
    return {**written, "dynamic": dynamic} if dynamic else written


def _occurrences(value: object) -> list[Mapping[str, object]]:
    """Return the block's contents, whether it occurs once, several times or once per element."""
    if isinstance(value, Repeated):
        return [cast("Mapping[str, object]", cast("Repeated[object]", value).content)]
    if isinstance(value, list):
        return cast("list[Mapping[str, object]]", value)
    return [cast("Mapping[str, object]", value)]
