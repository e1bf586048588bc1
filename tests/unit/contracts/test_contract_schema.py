"""The JSON Schema of a foundation's outputs: what a reader of the state may rely on."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from aeterna.contracts.foundation import FoundationOutputs
from aeterna.contracts.schema import DIALECT, foundation_schema

# One plausible document; what it holds is JSON.
Json = Any

TEXT = "x"


def example(schema: Json) -> Json:
    """Return the smallest document that the schema describes."""
    if "const" in schema:
        return schema["const"]
    match schema.get("type"):
        case "object" if "properties" in schema:
            made: Json = {name: example(schema["properties"][name]) for name in schema["required"]}
        case "object":
            made = {"some": example(schema["additionalProperties"])}
        case "array":
            made = [example(schema["items"])]
        case "boolean":
            made = False
        case "string":
            made = TEXT
        case _:
            made = None
    return made


def refuses(document: Json) -> bool:
    contract: Json = jsonschema.Draft202012Validator(foundation_schema())  # its stubs leave the schema's type open
    return not contract.is_valid(document)


def test_the_schema_is_a_schema() -> None:
    assert foundation_schema()["$schema"] == DIALECT
    jsonschema.Draft202012Validator.check_schema(foundation_schema())


def test_a_foundation_without_its_optional_parts_keeps_the_contract() -> None:
    assert not refuses(example(foundation_schema()))


@pytest.mark.parametrize("change", [{"version": FoundationOutputs.version + 1}, {"unknown": TEXT}, {"cloud": ""}])
def test_another_version_an_unknown_field_and_an_empty_value_break_the_contract(change: Json) -> None:
    assert refuses(example(foundation_schema()) | change)


def test_a_part_that_is_there_is_there_whole() -> None:
    assert refuses(example(foundation_schema()) | {"registry": {}})
    assert not refuses(example(foundation_schema()) | {"registry": {"url": TEXT}})
