"""Writes the contract of a deployed foundation as JSON Schema (draft 2020-12), from the dataclasses themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

from aeterna.contracts.foundation import FoundationOutputs
from aeterna.contracts.late import Late

Schema: TypeAlias = dict[str, Any]  # JSON Schema is JSON of many shapes

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def foundation_schema() -> Schema:
    """Return the JSON Schema of the output ``foundation``, with its version, which is the same on every cloud.

    Every deploy-time string is there and not empty, whatever made it; a part that is switched off is null.
    """
    schema = _of_dataclass(FoundationOutputs)
    properties = {"version": {"const": FoundationOutputs.version}, **schema["properties"]}
    return {
        "$schema": DIALECT,
        "title": f"The outputs of a foundation, version {FoundationOutputs.version}",
        **schema,
        "properties": properties,
        "required": ["version", *schema["required"]],
    }


def _of_dataclass(kind: type) -> Schema:
    hints = get_type_hints(kind)
    described = (kind.__doc__ or "").partition("\n\n")[0]
    # Terraform leaves a null out of an object, so that what may be null may be absent as well.
    required = [each.name for each in fields(kind) if not _may_be_null(hints[each.name]) and each.default is MISSING]
    return {
        "description": described,
        "type": "object",
        "properties": {each.name: _of(hints[each.name]) for each in fields(kind)},
        "required": required,
        "additionalProperties": False,
    }


def _of(hint: Any) -> Schema:  # noqa: ANN401 - a type hint has no type of its own
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Late or hint is str:
        return {"type": "string", "minLength": 1}
    if hint is bool:
        return {"type": "boolean"}
    if is_dataclass(hint) and isinstance(hint, type):
        return _of_dataclass(hint)
    if origin in {Union, UnionType}:
        return {"anyOf": [_of(argument) for argument in arguments if argument is not NoneType] + [{"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": _of(arguments[0])}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(arguments[1])}
    raise TypeError(f"{hint} has no form in the contract")


def _may_be_null(hint: Any) -> bool:  # noqa: ANN401 - as above
    return NoneType in get_args(hint)
