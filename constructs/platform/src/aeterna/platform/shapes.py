"""The shape of a generated binding's blocks, read from the types that were generated with it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, ForwardRef, cast

if TYPE_CHECKING:
    from aeterna.synth.binding import Resource

_BLOCK: Final = re.compile(r"(?:Required\[)?(One|Blocks)\[(\w+)\]")
_SCALAR: Final = re.compile(r"(?:Required\[)?(Text|Number|Flag|Many|Table)\b")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a block.

    ``kind`` is Text, Number, Flag, Many or Table of a value, and One or Blocks of a nested block, whose arguments are
    ``nested``.
    """

    kind: str
    nested: Mapping[str, Argument] = field(default_factory=dict[str, "Argument"])


@cache
def pod_template(binding: type[Resource]) -> Mapping[str, Argument]:
    """Return the arguments of the block that holds a pod's metadata and spec, wherever the binding has it."""
    arguments = _block(sys.modules[binding.__module__], f"{binding.__name__}SpecBlock")
    for name in path_to_template(binding):
        arguments = arguments[name].nested
    return arguments


def path_to_template(binding: type[Resource]) -> tuple[str, ...]:
    """Return the names of the blocks that lead from a workload's ``spec`` to its pod's template. Raises `LookupError`.

    A pod is its own template.
    """
    spec = _block(sys.modules[binding.__module__], f"{binding.__name__}SpecBlock")
    if "template" in spec:
        return ("template",)
    if "job_template" in spec:
        return ("job_template", "spec", "template")
    raise LookupError(f"{binding.__name__} has no pod's template")


@cache
def _block(module: object, name: str) -> Mapping[str, Argument]:
    kind = getattr(module, name)
    annotations = cast("Mapping[str, object]", kind.__annotations__)
    return {argument: _argument(module, name, argument, annotation) for argument, annotation in annotations.items()}


def _argument(module: object, block: str, name: str, annotation: object) -> Argument:
    text = annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else str(annotation)
    nested = _BLOCK.match(text)
    if nested:
        return Argument(nested[1], _block(module, nested[2]))
    scalar = _SCALAR.match(text)
    if scalar is None:
        raise LookupError(f"{block}.{name}: {text} is no argument of a generated binding")
    return Argument(scalar[1])
