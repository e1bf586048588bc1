"""What is computed only at apply: Terraform's functions and operators, iterators, counts and typed references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.synth._cdk import (
    Fn,
    IResolvable,
    Op,
    TerraformCount,
    TerraformIterator,
    TerraformLocal,
    TerraformSelf,
    Token,
)
from aeterna.synth.lowering import escaped
from aeterna.synth.references import Ref

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Fn",
    "IResolvable",
    "Op",
    "Ref",
    "TerraformCount",
    "TerraformIterator",
    "TerraformLocal",
    "TerraformSelf",
    "Token",
    "as_flag",
    "as_list",
    "as_map",
    "as_number",
    "as_text",
    "escaped",
]


def as_text(ref: Ref) -> str:
    """Return a placeholder of a string."""
    return str(ref)


def as_number(ref: Ref) -> float:
    """Return a placeholder of a number, which must not go into an f-string."""
    element, path = ref.__where__()
    return element.get_number_attribute(path)


def as_flag(ref: Ref) -> IResolvable:
    """Return a placeholder of a boolean."""
    element, path = ref.__where__()
    return element.get_boolean_attribute(path)


def as_list(ref: Ref) -> list[str]:
    """Return a placeholder of a list of strings."""
    element, path = ref.__where__()
    return element.get_list_attribute(path)


def as_map(ref: Ref) -> Mapping[str, str]:
    """Return a placeholder of a map of strings."""
    element, path = ref.__where__()
    return element.get_string_map_attribute(path)
